"""Genes against types, by one method and way."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.attribution import TypeScores
from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import UNIT, method_title, top_of
from scmpt_core.ui.components import plot


def heat(view: View) -> None:
    """The top genes of every type."""
    result = view.result
    most = st.slider("Top genes of each type", 1, 10, 3, key="genes_a_type")
    found = {
        name: scores
        for name in result.type_names
        if (scores := result.over_seeds(view.method, view.way, name, view.correct_only)) is not None
    }
    picked = [gene for scores in found.values() for gene in top_of(scores, most)]
    if not picked:
        st.info("No gene has a positive score.")
        return
    rows = np.array(list(dict.fromkeys(picked)))
    values = np.stack(
        [np.where(scores.seen, scores.mean, np.nan)[rows] for scores in found.values()]
    )
    plot(
        figures.gene_types(values, result.genes[rows], list(found), [s.n for s in found.values()]),
        "gene_types",
        f"{method_title(view.method)}, {view.way}: mean over the {view.cells}, in shares of each "
        f"type's strongest score. The {most} highest genes of each type, {len(rows)} in all. "
        "Orange speaks for the type, blue against; blank: not read in any of its cells.",
        wide=True,
    )
    _one_gene(view, found, rows)


def _one_gene(view: View, found: dict[str, TypeScores], first: np.ndarray) -> None:
    """A gene's score in every type; those of the heat map stand first in the list."""
    genes = view.result.genes
    others = np.setdiff1d(np.arange(len(genes)), first)
    at = st.selectbox(
        "One gene in every type", [*first.tolist(), *others.tolist()],
        format_func=lambda i: str(genes[i]), key="one_gene",
    )  # fmt: skip
    unread = [name for name, scores in found.items() if not scores.seen[at]]
    plot(
        figures.top_genes(
            [f"{name} ({scores.n})" for name, scores in found.items()],
            np.array([scores.mean[at] for scores in found.values()]),
            np.array([scores.spread[at] for scores in found.values()]), None, UNIT,
        ),
        "one_gene_types",
        f"{genes[at]}, {method_title(view.method)}, {view.way}: mean over each type's cells (n in "
        "brackets); bars: standard deviation over cells."
        + (f" Read in no cell of {', '.join(unread)}." if unread else ""),
    )  # fmt: skip
