"""Top genes against markers: the table of tests, one test against chance, and all k."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.attribution.judged import ReportRow
from scmpt_core.markers import precision_at_k
from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.judge import (
    DRAWS,
    report_of,
    report_table,
    whole_table,
    yardstick_scores,
    yardsticks_of,
)
from scmpt_core.ui.attribution.pick import MOST_GENES, View
from scmpt_core.ui.attribution.scores import method_title
from scmpt_core.ui.components import plain, plot
from scmpt_core.wording import amount


def report(view: View) -> None:
    """All tests of the chosen cells, those of the chosen type first; and all of them as a file."""
    found = report_of(view)
    rows = [r for r in found.rows if r.entry is not None and r.correct_only == view.correct_only]
    open_labels = [match.label for match in view.matches if not match.confirmed]
    number = st.column_config.NumberColumn
    st.dataframe(
        report_table(rows, view.type), hide_index=True, key="report",
        alt="Overlap of the top genes with known markers, for each type, method and way.",
        column_config={
            "type": st.column_config.TextColumn(pinned=True),
            "markers in top": number("found", help="Markers among the top genes."),
            "top genes": number("of top", help="Top genes: fewer than asked for where no more "
                                "have a positive score."),
            "markers": st.column_config.TextColumn(width="medium", help="The genes found."),
            "n": number(help="Cells."),
            "expected": number(
                format="%.2f", help="Mean overlap of drawn sets of genes that are expressed alike."
            ),
            "p": number(format="%.2g", help=f"{DRAWS:,} drawn sets."),
            "q": number(format="%.2g", help="Benjamini–Hochberg over all tests of this table."),
            "p hypergeometric (descriptive)": number(
                "p hyperg. (descriptive)", format="%.2g",
                help="Against sets of any genes: small by default, since highly expressed genes "
                "are both attributed to and listed more often. No evidence.",
            ),
        },
    )  # fmt: skip
    st.caption(
        f"Top {view.k} genes by positive score against {plain(view.database.title)}; "
        f"{plain(view.cells)}. Chance: {DRAWS:,} sets of genes of the same expression in the same "
        "cells." + (f" Not confirmed yet: {plain(', '.join(open_labels))}." if open_labels else "")
    )
    st.download_button(
        "All tests (.csv)", lambda: whole_table(found).to_csv(index=False),
        f"{view.file('marker-tests', f'top{view.k}')}.csv",
        "text/csv", on_click="ignore", icon=":material/download:", key="get_tests",
        help="Every p and q, of all types, methods, ways and yardsticks.",
    )  # fmt: skip


def row_of(view: View) -> ReportRow:
    """The test of what is looked at."""
    return next(
        row
        for row in report_of(view).rows
        if (row.type, row.method, row.way, row.correct_only)
        == (view.type, view.method, view.way, view.correct_only)
    )


def null(view: View) -> None:
    """The drawn sets of one test, with the observed overlap."""
    row = row_of(view)
    st.markdown("**Against chance**")
    if row.test is None or not row.test.testable:
        st.info(plain(row.note or "Not tested."))
        return
    test = row.test
    q = "" if row.q is None else f", q = {row.q:.2g}"
    plot(
        figures.null_overlap(test.null_counts, test.overlap, test.null_mean), "null",
        f"{amount(test.overlap, 'marker')} among the top {amount(test.used, 'gene')}; "
        f"{test.null_mean:.2f} expected. "
        f"p = {test.p:.2g}{q}; {test.draws:,} draws; {amount(test.n_markers_seen, 'marker')} among "
        f"{amount(test.n_seen, 'gene')} read; n = {amount(row.n, 'cell')}.",
        name=view.file(view.type, view.method, view.way, "against-chance"),
    )  # fmt: skip


def precision(view: View) -> None:
    """Every method's curve, and the yardsticks'; none where no marker could be found at all."""
    result, ks = view.result, np.arange(1, min(MOST_GENES, len(view.result.genes)) + 1)
    mine, scores = view.markers, view.scores
    st.markdown("**For every k**")
    if not (mine & scores.seen).any():
        st.info(
            f"No curve: {plain(view.way)} reads none of the markers of {plain(view.entry.name)} in "
            "these cells, so none could be among the top genes."
        )
        return
    curves = {
        method_title(name): precision_at_k(one.mean, mine, one.seen, ks)
        for name in result.methods
        if (one := result.over_seeds(name, view.way, view.type, view.correct_only)) is not None
    }
    yardsticks = {
        name: precision_at_k(values, mine, scores.seen, ks)
        for name, values in yardstick_scores(view.item, result, result.explained(view.type)).items()
    }
    kept = yardsticks_of(view.item)
    grey = "" if kept is None else f" Grey: yardsticks that need no model, made from {kept.source}."
    plot(
        figures.precision(curves, yardsticks, ks), "precision",
        f"{view.subject}, {view.way}: share of markers among the top k, n = "
        f"{amount(scores.n, 'cell')}.{grey} A curve ends where no positive score is left.",
        name=view.file(view.type, view.way, "precision"),
    )  # fmt: skip
