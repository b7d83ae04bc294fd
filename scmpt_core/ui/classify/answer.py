"""The answer: how many cells got which label, how many are Unknown and why; the rule beside it."""

from __future__ import annotations

import json

import streamlit as st

from scmpt_core import plots
from scmpt_core.fusion import DISAGREE, FAR, NO_GENE, UNDECIDED, UNKNOWN
from scmpt_core.jobs.kinds.classify import SUMMARY
from scmpt_core.labelling import BY_HAND, Labelling
from scmpt_core.library import Item
from scmpt_core.ui.classify.agree import agree
from scmpt_core.ui.classify.cells import cells
from scmpt_core.ui.classify.clusters import clusters
from scmpt_core.ui.classify.downloads import downloads
from scmpt_core.ui.classify.keep import labelling_of, refusal
from scmpt_core.ui.classify.models import model_title
from scmpt_core.ui.classify.palette import palette_of
from scmpt_core.ui.classify.rule import controls
from scmpt_core.ui.classify.sure import sure
from scmpt_core.ui.classify.types import types
from scmpt_core.ui.components import PAGES, plain, plot

WHY = {
    UNDECIDED: "no type reaches the threshold",
    DISAGREE: "no type reaches the threshold, and the encoders name different ones",
    FAR: "so unusual that their type was probably not among those of training",
    NO_GENE: "there is nothing to judge",
    BY_HAND: "their cluster was called Unknown",
}
TRUST = (
    "Probabilities are calibrated on training data that was kept apart: for cells of another study "
    "they may be too sure."
)
TABS = {"Cells": cells, "How sure": sure, "Clusters": clusters, "Types": types, "Encoders": agree}


def answer(item: Item) -> None:
    """The whole result of one labelling.

    Raises
    ------
    ModelError
        What is kept is damaged, or of an earlier version.
    """
    labelling = labelling_of(item)
    summary = _summary(item.id, item.created, item)
    refusal()
    headline(item, labelling)
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        counts = labelling.counts
        plot(
            plots.class_counts(counts, palette_of(item, labelling)), "counts",
            f"Cells per label, n = {len(labelling.ids):,}; grey: {UNKNOWN}.",
        )  # fmt: skip
        downloads(item, labelling)
    with right:
        controls(item, labelling)
    tabs = st.tabs(list(TABS), key="view", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        with tab:
            if tab.open:
                draw(item, labelling, summary)


def headline(item: Item, labelling: Labelling) -> None:
    """In two sentences and a list."""
    counts, n = dict(labelling.counts), len(labelling.ids)
    unknown = counts.pop(UNKNOWN, 0)
    text = (
        f"{plain(item.meta['dataset_name'])}: {n:,} cells labelled by "
        f"**{plain(model_title(item.meta))}**: {len(counts)} type{'s' * (len(counts) != 1)}"
    )
    if counts:
        top = next(iter(counts))
        text += f", most of all {plain(top)} ({counts[top]:,}, {counts[top] / n:.1%})"
    st.success(f"{text}. {unknown:,} ({unknown / n:.1%}) are {UNKNOWN}.")
    st.markdown(
        "\n".join(
            f"- **{n:,}** {plain(reason)}: {WHY[reason]}"
            for reason, n in labelling.unknown_counts.items()
        )
    )
    st.caption(TRUST)
    meta = item.meta
    st.page_link(
        PAGES["attribution"], label="Which genes carried these labels?", icon=":material/biotech:",
        query_params={"dataset": meta["dataset"], "model": meta.get("model") or meta["reference"]},
    )  # fmt: skip


@st.cache_resource(max_entries=4)
def _summary(id: str, created: float, _item: Item) -> dict:
    return json.loads((_item.folder / SUMMARY).read_text("utf-8"))
