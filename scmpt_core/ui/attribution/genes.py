"""Top genes of a type, and the same by every way beside one another."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.attribution import TypeScores, jaccard
from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.chosen import open_gene
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import (
    UNIT,
    method_title,
    quality_words,
    top_of,
    way_title,
)
from scmpt_core.ui.components import plain, plot


def top(view: View) -> None:
    """Bars of one way."""
    _bars(view, view.way, "top_genes")
    rows = view.result.cells_of(view.type, view.way, view.correct_only)
    if len(rows) and (words := quality_words(view.result, view.method, view.way, rows)):
        st.caption(plain(f"How good the scores are: {words}."))
    if view.database is not None and view.entry is None:
        st.info(
            f"Which genes are markers of {plain(view.type)} is not shown: no entry of "
            f"{plain(view.database.title)} is confirmed for it. See **Known markers**."
        )


def ways(view: View) -> None:
    """Bars of every way."""
    result = view.result
    if len(result.ways) == 1:
        st.info(
            "There is one way only: the model reads one encoder, or mixes all before it judges. "
            "Models named scmpt are explained as a whole and by each encoder."
        )
        return
    for column, way in zip(st.columns(len(result.ways), gap="medium"), result.ways, strict=True):
        with column:
            st.markdown(f"**{plain(way_title(result, way))}**")
            _bars(view, way, f"way_{result.ways.index(way)}")
    _shared(view)


def _shared(view: View) -> None:
    """Which top genes the ways have in common."""
    found = {way: scores for way in view.result.ways if (scores := view.of(way)) is not None}
    names, lines = list(found), []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            both = np.intersect1d(top_of(found[a], view.k), top_of(found[b], view.k))
            genes = ", ".join(view.result.genes[both]) or "none"
            alike = jaccard(found[a].mean, found[b].mean, view.k)
            lines.append(
                f"- {plain(a)} and {plain(b)} share {len(both)} of {view.k} (Jaccard {alike:.2f}): "
                f"{plain(genes)}"
            )
    if lines:
        st.markdown("\n".join(lines))


def _bars(view: View, way: str, key: str) -> None:
    scores = view.of(way)
    if scores is None:
        st.info(f"{plain(way)} named no explained cell of {plain(view.type)} right.")
        return
    top = top_of(scores, view.k)
    if not len(top):
        st.info("No gene has a positive score.")
        return
    markers = view.markers
    plot(
        figures.top_genes(
            view.result.genes[top], scores.mean[top],
            scores.spread[top] if scores.n > 1 else None,
            None if markers is None else markers[top], UNIT,
        ),
        key, _caption(view, way, scores, None if markers is None else int(markers[top].sum())),
        on_point=open_gene(key, view.result.genes[top].tolist()),
    )  # fmt: skip


def _caption(view: View, way: str, scores: TypeScores, found: int | None) -> str:
    spread = "bars: standard deviation over cells" if scores.n > 1 else "one cell, so no spread"
    which = "named right" if view.correct_only else "right and wrong ones"
    text = (
        f"{view.type}, {method_title(view.method)}, {way}: mean of n = {scores.n} "
        f"cell{'s' * (scores.n != 1)} ({which}); {spread}. A click on a bar shows its gene."
    )
    if found is None:
        return text
    return (
        f"{text} Hatched, {figures.SIGN}: {found} known marker{'s' * (found != 1)} of "
        f"{view.entry.name} ({view.database.title})."
    )
