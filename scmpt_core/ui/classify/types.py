"""Types: the genes that mark each predicted one, and its term of the Cell Ontology."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from scmpt_core.labelling import (
    BY_HAND,
    Labelling,
    LabelRow,
    confirm_term,
    gene_text,
    label_rows,
    without_term,
)
from scmpt_core.library import Item
from scmpt_core.ontology import suggest_terms
from scmpt_core.plots import labels as label_plots
from scmpt_core.ui.classify.keep import change, undo_button
from scmpt_core.ui.classify.models import id_link, link_of
from scmpt_core.ui.components import plain, plot

NONE, OTHER = "none: it has no term", "another id …"


def types(item: Item, labelling: Labelling, summary: dict) -> None:
    """The table, the genes of one type, and terms for labels."""
    markers = summary["markers"]
    rows = label_rows(labelling, markers["types"], markers["clusters"])
    if not rows:
        st.info("Every cell is Unknown under this rule.")
        return
    st.dataframe(
        pd.DataFrame([_row(row) for row in rows]), hide_index=True,
        column_config={
            "Cell Ontology": id_link(),
            "mean probability": st.column_config.NumberColumn(format="%.3f"),
            "genes that mark it": st.column_config.TextColumn(
                help="In brackets the share of cells that express the gene: of "
                "this type / of all others.",
            ),
        },
    )  # fmt: skip
    st.caption(
        "Genes mark the cells whose most probable type this is, whatever the rule makes of them; "
        "for a name given by hand, the largest cluster that bears it."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _genes(rows)
    with right:
        _terms(item, labelling, rows)


def _row(row: LabelRow) -> dict:
    return {
        "label": row.label,
        "cells": row.cells,
        "Cell Ontology": link_of(row.id),
        "genes that mark it": gene_text(row.genes, 3),
        "mean probability": row.probability,
        "its name in the ontology": row.term,
        BY_HAND: row.by_hand,
    }


@st.fragment
def _genes(rows: list[LabelRow]) -> None:
    """All marker genes of one type."""
    st.markdown("**Genes of one type**")
    found = {row.label: row for row in rows}
    row = found[st.selectbox("Type", list(found), key="genes_of")]
    if not row.genes:
        st.info("No gene marks it: it has fewer than 3 cells, or no others are left.")
        return
    plot(
        label_plots.marker_shares(row.genes, row.label), "marker_shares",
        f"The {len(row.genes)} genes that mark {row.label} most against all other cells "
        "(rank-sum test).",
    )  # fmt: skip
    frame = pd.DataFrame(row.genes)[["symbol", "log2_fold_change", "p_adjusted"]]
    frame.columns = ["gene", "log2 fold change", "adjusted p"]
    st.dataframe(frame.style.format({"log2 fold change": "{:.1f}", "adjusted p": "{:.1e}"}),
                 hide_index=True)  # fmt: skip
    st.caption("The same cells chose the groups, so p only orders the genes; it is no evidence.")


def _terms(item: Item, labelling: Labelling, rows: list[LabelRow]) -> None:
    """A term for a label that has none, or another one."""
    st.markdown("**Cell Ontology term of a label**")
    missing = without_term(labelling)
    if missing:
        st.caption(f"Without one: {plain(', '.join(missing))}.")
    names = sorted((row.label for row in rows), key=lambda name: name not in missing)
    label = st.selectbox("Label", names, key="term_label")
    likely = {term.id: f"{term.name} ({term.id})" for term in suggest_terms(label)}
    words = {**likely, "": NONE, OTHER: OTHER}
    term = st.radio("Term", list(words), format_func=words.__getitem__, key=f"term_{label}",
                    index=0)  # fmt: skip
    if term == OTHER:
        term = st.text_input("Id", placeholder="CL:0000236", key="typed_term").strip()
    with st.container(horizontal=True):
        st.button(
            "Confirm", key="confirm_term", icon=":material/check:", on_click=change,
            args=(item.id, lambda kept: {"terms": confirm_term(kept, label, term)}),
        )  # fmt: skip
        undo_button(item, "terms")
