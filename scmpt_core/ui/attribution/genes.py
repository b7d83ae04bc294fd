"""Top genes of a type, and the same by the whole model and its parts beside one another."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.attribution import TypeScores, jaccard
from scmpt_core.attribution.quality import quality_words
from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.chosen import open_gene
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import (
    method_title,
    over_seeds_spread,
    top_of,
    way_title,
)
from scmpt_core.ui.components import plain, plot
from scmpt_core.wording import amount


def top(view: View) -> None:
    """Bars of one way."""
    _bars(view, view.way, "top_genes")
    rows = view.result.cells_of(view.type, view.way, view.correct_only)
    if len(rows) and (words := quality_words(view.result, view.method, view.way, rows)):
        st.caption(plain(f"How good the scores are: {words}"))
    if view.database is not None and view.entry is None:
        name = plain(view.result.explained(view.type))
        st.info(
            f"Which genes are markers of {name} is not shown: no entry of "
            f"{plain(view.database.title)} is confirmed for it. See **Known markers**."
        )


def ways(view: View) -> None:
    """Bars of every way."""
    result = view.result
    if len(result.ways) == 1:
        st.info(
            "The model has no parts to look at alone: it reads one encoder, or mixes all before it "
            "judges. Models named scmpt are explained as a whole and by each encoder."
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
    spread, about = _spread(view, way, scores)
    plot(
        figures.top_genes(
            view.result.genes[top], scores.mean[top], None if spread is None else spread[top],
            None if markers is None else markers[top], view.unit,
        ),
        key,
        f"{view.subject}, {method_title(view.method)}, {way}: {view.mean_words(scores.n)}; "
        f"{about}. A click on a bar shows its gene.{_marked(view, top)}",
        on_point=open_gene(key, view.result.genes[top].tolist()),
        name=view.file(view.type, view.method, way, "top-genes"),
    )  # fmt: skip


def _spread(view: View, way: str, scores: TypeScores) -> tuple[np.ndarray | None, str]:
    """The error bars, and what they are: of the seeds, where there are several."""
    seeds = over_seeds_spread(view.result, view.method, way, view.type, view.correct_only)
    if seeds is not None:
        return seeds, "lines: standard deviation over the seeds, the method's own chance"
    if scores.n > 1:
        return scores.spread, "lines: standard deviation over cells"
    return None, "one cell, so no spread"


def _marked(view: View, top: np.ndarray) -> str:
    if view.markers is None:
        return ""
    found = amount(int(view.markers[top].sum()), "known marker")
    return f" Hatched, {figures.SIGN}: {found} of {view.entry.name} ({view.database.title})."
