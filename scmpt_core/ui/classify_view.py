"""The Classify page's parts: does the model fit the cells, the labels, the downloads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core import plots
from scmpt_core.cells import Cells
from scmpt_core.data import Dataset
from scmpt_core.device import choose_device
from scmpt_core.fusion import MIN_OVERLAP, UNKNOWN, preview
from scmpt_core.fusion.folder import Fit
from scmpt_core.jobs import estimate_classify, submit
from scmpt_core.jobs.kinds.classify import ANNOTATED, CELLS, SUMMARY, TABLE
from scmpt_core.library import Item
from scmpt_core.progress import duration
from scmpt_core.ui.components import guarded, legend, plain, plot
from scmpt_core.ui.state import library, owner

MAX_LISTED = 1000


def describe_model(model: Item) -> None:
    """Where it comes from, and how well it did there."""
    meta = model.meta
    st.caption(
        f"{meta['model']} ({', '.join(meta['encoders'])}), trained on "
        f"{plain(meta['dataset_name'])}, label {plain(meta['label'])}, "
        f"{len(meta['classes'])} classes; macro F1 {meta['test']['macro_f1']:.3f} on its own "
        f"test cells (n = {meta['test_cells']:,}). It knows only these classes: "
        f"{plain(', '.join(meta['classes']))}."
    )


def fit(item: Item, dataset: Dataset, model: Item) -> bool:
    """Normalisation and overlap, judged before anything runs; whether it can be used."""
    cells = dataset.usable()
    found = _preview(model.id, str(model.folder / "model"), item.id, cells.fingerprint, cells)
    lowest = min(found.overlap.values())
    with st.container(horizontal=True, gap="large"):
        st.metric("Cells", f"{len(cells):,}", width="content")
        st.metric("Genes shared with training", f"{found.shared_genes:,}", width="content")
        st.metric(
            "Training window covered", f"{lowest:.1%}", width="content",
            help="The share of what the encoders read in training that these cells measure; the "
            "lowest of the encoders.",
        )  # fmt: skip
    if found.seen:
        st.warning(
            f"{found.seen:,} of these cells bear the names of cells that the model was trained "
            "on. How well it labels those says nothing about new cells."
        )
    st.caption(f"Normalisation: {plain(cells.normalisation)}.")
    if lowest < MIN_OVERLAP:
        st.error(
            f"These cells measure {lowest:.1%} of what the model read in training; at least "
            f"{MIN_OVERLAP:.0%} is needed, because labels degrade quickly below. Train a model on "
            "reference cells cut to these genes."
        )
        return False
    return True


@st.cache_data(max_entries=50, show_spinner="Comparing genes …")
def _preview(model: str, folder: str, item: str, fingerprint: str, _cells: Cells) -> Fit:
    return preview(Path(folder), _cells)


def start(item: Item, model: Item, busy: bool) -> None:
    """Queue the labelling."""
    estimate = estimate_classify(
        library().home, choose_device().name, item.meta["cells"], model.meta["encoders"]
    )
    if st.button("Label these cells", type="primary", disabled=busy,
                 icon=":material/label:", key="classify"):  # fmt: skip
        with guarded():
            job = submit(
                library().home, owner(), "classify",
                {"dataset": item.id, "view": item.meta["view"], "model": model.id},
            )  # fmt: skip
            st.query_params["result"] = job.id  # the result will bear its id
            st.rerun()
    st.caption(f"Expected: about {duration(estimate.seconds)}.")


@dataclass(frozen=True, eq=False)
class Labelled:
    """What a finished labelling left on disk."""

    summary: dict
    ids: np.ndarray
    labels: np.ndarray
    probability: np.ndarray
    map: np.ndarray

    @property
    def unread(self) -> np.ndarray:
        """Cells without any gene that the model reads; a trained class may be named Unknown too."""
        return np.isnan(self.probability)


def read(item: Item) -> Labelled:
    """Read it."""
    with np.load(item.folder / CELLS, allow_pickle=False) as arrays:
        return Labelled(json.loads((item.folder / SUMMARY).read_text("utf-8")), **arrays)


def answer(item: Item, found: Labelled) -> None:
    """Counts, downloads, map, table."""
    summary = found.summary
    counts = dict(sorted(summary["labels"].items(), key=lambda pair: -pair[1]))
    top = next(iter(counts))
    unknown = int(found.unread.sum())
    st.success(
        f"{plain(item.meta['dataset_name'])}: {summary['cells']:,} cells labelled by "
        f"**{plain(item.meta['model_name'])}**: "
        f"{len(counts)} types, most of all {plain(top)} ({counts[top]:,})."
    )
    st.warning(
        "Probabilities are not calibrated yet: 0.9 does not mean right in 9 of 10. Cells of a type "
        "that the model was not trained on get one of its types all the same."
        + (f" {unknown:,} cells without any gene the model reads are {UNKNOWN}." if unknown else "")
    )
    _downloads(item)
    left, right = st.columns([1, 1.4])
    with left:
        palette = _palette(item, counts)
        plot(plots.class_counts(counts, palette), "counts",
             f"Cells per label, n = {summary['cells']:,}.")  # fmt: skip
    with right:
        _map(found, palette)
    _table(found, list(counts))


def _palette(item: Item, counts: dict[str, int]) -> list[str]:
    """The training column's order of colours, as long as the model is kept."""
    return item.meta.get("palette") or sorted(counts)


def _downloads(item: Item) -> None:
    name = item.meta["dataset_name"].rsplit(".", 1)[0]
    columns = st.columns([1, 1, 2])
    columns[0].download_button(
        "Download .h5ad", (item.folder / ANNOTATED).read_bytes, f"{name}_scmpt.h5ad",
        "application/x-hdf5", on_click="ignore", icon=":material/download:", width="stretch",
        help="Your file with obs['scmpt_label'], obs['scmpt_probability'] and uns['scmpt'] added; "
        "nothing of yours is overwritten.",
    )  # fmt: skip
    columns[1].download_button(
        "Download .csv", (item.folder / TABLE).read_bytes, f"{name}_scmpt.csv", "text/csv",
        on_click="ignore", icon=":material/download:", width="stretch",
        help="One row a cell: label, probability, and the probability of every class.",
    )  # fmt: skip


@st.fragment
def _map(found: Labelled, palette: list[str]) -> None:
    by = st.segmented_control("Colour by", ["label", "probability"], default="label",
                              key="label_colour", required=True)  # fmt: skip
    caption = f"UMAP {found.summary['map']}; {len(found.ids):,} cells."
    if by == "probability":
        values = np.nan_to_num(found.probability)
        drawn = plots.value_map(found.map, values, "probability", "probability",
                                limits=(0, 1), height=480)  # fmt: skip
    else:
        classes = sorted(set(found.labels[~found.unread]))
        codes = np.where(found.unread, -1, np.searchsorted(classes, found.labels))
        drawn = plots.class_map(found.map, codes, classes, "label", ids=found.ids, height=480,
                                palette=palette)  # fmt: skip
        legend(classes, palette)
    if len(found.ids) > plots.PICTURE:
        caption += " So many are drawn as one picture, without names under the pointer."
    plot(drawn.figure, "labels_map", caption)


@st.fragment
def _table(found: Labelled, names: list[str]) -> None:
    left, right = st.columns(2)
    which = left.selectbox("Show", ["all labels", *names], key="show_label")
    order = right.selectbox("First", ["least sure", "surest", "as in the file"], key="show_first")
    rows = np.arange(len(found.ids))
    if which != "all labels":
        rows = np.flatnonzero(found.labels == which)
    if order != "as in the file":
        sign = 1 if order == "least sure" else -1
        rows = rows[np.argsort(sign * np.nan_to_num(found.probability[rows]), kind="stable")]
    st.caption(f"{min(len(rows), MAX_LISTED):,} of {len(rows):,} cells; the .csv holds all.")
    rows = rows[:MAX_LISTED]
    st.dataframe(
        pd.DataFrame({"cell": found.ids[rows], "label": found.labels[rows],
                      "probability": found.probability[rows]}),
        hide_index=True,
    )  # fmt: skip
