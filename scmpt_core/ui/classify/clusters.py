"""Clusters: what their cells vote, which genes mark them, and a name for all their cells."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from scmpt_core.fusion import UNKNOWN
from scmpt_core.labelling import (
    BY_HAND,
    ClusterRow,
    Labelling,
    cluster_rows,
    gene_text,
    name_clusters,
    unname_clusters,
)
from scmpt_core.library import Item
from scmpt_core.ui.classify.keep import change, undo_button
from scmpt_core.ui.components import plain

CHOSEN, NAME = "clusters_chosen", "cluster_name"


def clusters(item: Item, labelling: Labelling, summary: dict) -> None:
    """The table, and below it what names them."""
    rows = cluster_rows(labelling, summary["markers"]["clusters"])
    mixed = sum(row.vote == "mixed" for row in rows)
    st.markdown(
        f"{len(rows)} clusters ({plain(labelling.clustered_by)}); {mixed} of them mixed: no label "
        "has more than half of the cells."
    )
    st.dataframe(
        pd.DataFrame([_row(row) for row in rows]), hide_index=True,
        column_config={
            "agreement": st.column_config.ProgressColumn(
                min_value=0, max_value=1, format="percent",
                help="Share of the cluster's cells with its most frequent label; Unknown counts "
                "as a label.",
            ),
            "genes that mark it": st.column_config.TextColumn(
                width="large", help="In brackets the share of cells that express the gene: in the "
                "cluster / in all other cells.",
            ),
        },
    )  # fmt: skip
    _editor(item, labelling, rows)


def _row(row: ClusterRow) -> dict:
    return {
        "cluster": row.cluster,
        "cells": row.cells,
        "vote": row.vote,
        "agreement": row.share,
        "second label": f"{row.second} ({row.second_share:.0%})" if row.second else "",
        BY_HAND: row.named,
        "genes that mark it": gene_text(row.genes),
    }


def _editor(item: Item, labelling: Labelling, rows: list[ClusterRow]) -> None:
    """One name for one or more clusters."""
    st.markdown("**Name clusters by hand**")
    words = {
        r.cluster: f"{r.cluster}: {r.named or r.vote}, {r.cells:,} cells, {r.share:.0%}"
        for r in rows
    }
    known = [*labelling.prediction.classes, UNKNOWN]
    known += sorted(set(labelling.edits.values()) - set(known))
    left, right = st.columns(2)
    left.multiselect("Clusters", list(words), format_func=words.__getitem__, key=CHOSEN)
    right.selectbox(
        "Name of all their cells", known, index=None, key=NAME, accept_new_options=True,
        placeholder="Choose a type, or type a name of your own",
        help="A type of the model, Unknown, or any other name. The cells then bear it with the "
        f"reason “{BY_HAND}”; their probabilities and votes stay as they are.",
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button("Name them", key="name_clusters", type="primary", icon=":material/edit:",
                  on_click=_name, args=(item.id,))  # fmt: skip
        st.button(
            "Take names away", key="unname_clusters", on_click=_unname, args=(item.id,),
            disabled=not labelling.edits,
            help="Of the chosen clusters, or of all where none is chosen: back to the model's "
            "labels.",
        )  # fmt: skip
        undo_button(item, "clusters")
    if labelling.edits:
        st.caption(f"{len(labelling.edits)} of {len(rows)} clusters are {BY_HAND}.")


def _name(id: str) -> None:
    chosen, name = st.session_state[CHOSEN], st.session_state[NAME] or ""
    change(id, lambda kept: {"edits": name_clusters(kept, chosen, name)})
    st.session_state.update({CHOSEN: [], NAME: None})


def _unname(id: str) -> None:
    chosen = st.session_state[CHOSEN]
    change(id, lambda kept: {"edits": unname_clusters(kept, chosen or list(kept.edits))})
    st.session_state[CHOSEN] = []
