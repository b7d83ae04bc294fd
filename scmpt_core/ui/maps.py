"""What maps of cells share on all pages: where the points come from, and names on them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from scmpt_core import plots
from scmpt_core.data import Dataset, file_map
from scmpt_core.device import choose_device
from scmpt_core.jobs import estimate_map, submit
from scmpt_core.library import Item, map_of
from scmpt_core.progress import duration
from scmpt_core.ui.components import guarded
from scmpt_core.ui.state import jobs_of, library, owner
from scmpt_core.ui.tray import failed, watch


def names_toggle(place: DeltaGenerator) -> bool:
    """Whether types are written where their cells are; off, as they overlap on a narrow screen."""
    return place.toggle(
        "Names", key="map_names", persist_state="session",
        help="Write the types on the map. They need room: the legend names them too.",
    )  # fmt: skip


def picture_words(cells: int) -> str:
    """For the caption: what is different about a map of very many cells."""
    if cells <= plots.PICTURE:
        return ""
    return " So many are drawn as one picture, without names under the pointer."


def map_or_button(item: Item, dataset: Dataset) -> tuple[np.ndarray, str] | None:
    """The file's own map or the one computed here, (cells, 2), and which it is.

    ``None``: there is none yet, and the button that makes one, or its progress, is drawn.
    """
    points, source = file_map(dataset.adata)
    if points is None:
        points, source = map_of(item), "computed from 50 principal components"
    if points is not None and len(points) == dataset.adata.n_obs:
        return points, source
    mine = jobs_of("map", item)
    failed([j for j in mine[:1] if not j.active])
    if any(job.active for job in mine):
        watch(mine)
    else:
        _offer(item, dataset.adata.n_obs)
    return None


def _offer(item: Item, cells: int) -> None:
    seconds = estimate_map(library().home, choose_device().name, cells).seconds
    st.info("The file brings no UMAP or t-SNE.")
    if st.button(f"Compute a UMAP (about {duration(seconds)})", key="umap"):
        with guarded():
            submit(library().home, owner(), "map", {"dataset": item.id, "view": item.meta["view"]})
            st.rerun()
