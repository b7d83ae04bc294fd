"""Downloads: what is written follows the rule, names and terms of the moment it is pressed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import streamlit as st

from scmpt_core.device import choose_device
from scmpt_core.errors import DataError
from scmpt_core.labelling import (
    COLUMNS,
    Clustering,
    Labelling,
    labelling_record,
    script,
    settings_of,
    write_labelled,
)
from scmpt_core.library import Item, open_dataset
from scmpt_core.ui.classify.models import model_place, model_title
from scmpt_core.ui.components import plain
from scmpt_core.ui.state import library, owner


def downloads(item: Item, labelling: Labelling) -> None:
    """Three files, each made when its button is pressed."""
    name = item.meta["dataset_name"].rsplit(".", 1)[0]
    kept = {d.id: d for d in library().list(owner(), "dataset")}.get(item.meta["dataset"])
    with st.container(horizontal=True):
        st.download_button(
            "Download .h5ad", lambda: annotated(item, kept, labelling), f"{name}_scmpt.h5ad",
            "application/x-hdf5", on_click="ignore", icon=":material/download:", key="get_h5ad",
            disabled=kept is None,
            help=f"Your file with {', '.join(f'obs[{c!r}]' for c in COLUMNS)} and uns['scmpt'], "
            "which holds all settings, added; nothing of yours is overwritten."
            if kept else "The dataset was deleted; the .csv holds all labels.",
        )  # fmt: skip
        st.download_button(
            "Download .csv", lambda: labelling.table().to_csv(), f"{name}_scmpt.csv", "text/csv",
            on_click="ignore", icon=":material/download:", key="get_csv",
            help="One row a cell: label, probability, reason, set, cluster, Cell Ontology id, and "
            "the probability of every type.",
        )  # fmt: skip
        st.download_button(
            "Python script", lambda: repeat(item, labelling), "repeat_labelling.py",
            "text/x-python", on_click="ignore", icon=":material/code:", key="get_script",
            help="Repeats this run with all its settings, names and terms.",
        )  # fmt: skip
    place = model_place(item.meta)
    if place is None:
        st.caption("The model that made these labels is no longer kept; the script needs it.")
    else:
        st.caption(f"Run it as: python repeat\\_labelling.py YOUR\\_FILE {plain(place)} OUT.h5ad")


def annotated(item: Item, dataset: Item, labelling: Labelling) -> bytes:
    """The dataset with its labels, as a file.

    Raises
    ------
    DataError
        The dataset's cells are no longer those that were labelled.
    """
    opened = open_dataset(replace(dataset, meta=dataset.meta | {"view": item.meta["view"]}))
    if opened.usable().ids.tolist() != labelling.ids.tolist():
        raise DataError("The dataset's cells are not those that were labelled.", "Label it again.")
    trained, clustering = item.meta["trained"], Clustering(**item.meta["clustering"])
    record = labelling_record(
        opened, trained["model"], trained, labelling, clustering, choose_device()
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "labelled.h5ad"
        write_labelled(opened, labelling, record, out)
        return out.read_bytes()


def repeat(item: Item, labelling: Labelling) -> str:
    """The script."""
    settings = settings_of(labelling, item.meta["view"], Clustering(**item.meta["clustering"]))
    return script(item.meta["dataset_name"], model_title(item.meta), settings)
