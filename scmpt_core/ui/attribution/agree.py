"""Do methods, and seeds of one method, name the same genes?"""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.attribution import Source, get_method, jaccard, rank_biased_overlap
from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.components import plain, plot
from scmpt_core.wording import amount

P = 0.9


def agree(view: View) -> None:
    """Two heat maps over methods and seeds."""
    result = view.result
    found = {
        _name(source): scores.mean
        for method in result.methods
        for source in result.sources(method, view.way)
        if (scores := result.of_type(source, view.type, view.correct_only)) is not None
    }
    if len(found) < 2:
        st.info(
            "There is one ranking only. Explain with several methods, or several seeds, to see "
            "whether they agree."
            if found
            else f"{plain(view.way)} named no explained cell of {plain(view.type)} right."
        )
        return
    names, scores = list(found), list(found.values())
    n = len(result.cells_of(view.type, view.way, view.correct_only))
    what = f"{view.type}, {view.way}, n = {amount(n, 'cell')}. 1: the same genes; 0: none shared."
    left, right = st.columns(2, gap="medium")
    with left:
        plot(
            figures.agreement(
                _pairs(scores, lambda a, b: jaccard(a, b, view.k)), names,
                f"Jaccard of the top {view.k}",
            ),
            "jaccard", f"Shared genes ÷ all genes of two top {view.k}. {what}",
            name=view.file(view.type, view.way, "jaccard"),
        )  # fmt: skip
    with right:
        plot(
            figures.agreement(
                _pairs(scores, lambda a, b: rank_biased_overlap(a, b, P)), names,
                f"Rank-biased overlap, p = {P}",
            ),
            "rbo", f"Counts the order too, the first genes most. {what}",
            name=view.file(view.type, view.way, "rank-biased-overlap"),
        )  # fmt: skip


def _name(source: Source) -> str:
    info = get_method(source.method)
    return f"{info.title}, seed {source.seed}" if info.seeded else info.title


def _pairs(scores: list[np.ndarray], alike) -> np.ndarray:
    return np.array([[alike(a, b) for b in scores] for a in scores])
