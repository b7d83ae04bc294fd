"""Genes against types, by one method and way."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.chosen import ONE_GENE
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import method_title, top_of
from scmpt_core.ui.components import plot
from scmpt_core.wording import amount


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
        f"type's strongest score. The highest {amount(most, 'gene')} of each type, {len(rows)} in "
        "all. "
        "Orange speaks for the type, blue against; blank: not read in any of its cells. A single "
        f"gene: see {ONE_GENE}.",
        wide=True, name=view.file(view.method, view.way, "genes-by-type"),
    )  # fmt: skip
