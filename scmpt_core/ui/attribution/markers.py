"""Known markers: the table of tests, one test against chance, and each marker's evidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.markers import (
    EvidenceRow,
    Markers,
    evidence_rows,
    find_markers,
    for_against_missing,
    precision_at_k,
)
from scmpt_core.markers.evidence import LINKS
from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.judge import DRAWS, report_of, report_table, yardstick_scores
from scmpt_core.ui.attribution.matching import matching
from scmpt_core.ui.attribution.pick import MOST_GENES, View
from scmpt_core.ui.attribution.scores import method_title, top_of
from scmpt_core.ui.components import plain, plot

GROUPS = {
    "supporting": "For the type",
    "against": "Against it",
    "missing": "Read, and in neither",
    "unseen": "In the data, but never read",
}
SHOWN = 40  # genes listed in a line


def markers(view: View) -> None:
    """Labels and entries first; then what follows from those confirmed."""
    if view.database is None:
        st.info("Choose a database of markers above, or use the built-in table.")
        return
    matching(view.item, view.database, view.matches)
    if not any(match.confirmed and match.entry is not None for match in view.matches):
        st.info("Confirm what at least one label is; then its genes are held against its markers.")
        return
    _report(view)
    if view.entry is None:
        st.info(f"No entry is confirmed for {plain(view.type)}; choose another type above.")
        return
    st.markdown(f"**{plain(view.type)}**, held against {plain(view.entry.name)}")
    if (scores := view.scores) is None:
        st.info(f"{plain(view.way)} named no explained cell of {plain(view.type)} right.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _null(view)
    with right:
        _precision(view)
    found = for_against_missing(view.result.genes, scores.mean, view.markers, scores.seen, view.k)
    _sorted(found)
    _evidence(view)


def _report(view: View) -> None:
    rows = [
        row
        for row in report_of(view).rows
        if row.entry is not None and row.correct_only == view.correct_only
    ]
    open_labels = [match.label for match in view.matches if not match.confirmed]
    st.dataframe(
        report_table(rows), hide_index=True, key="report",
        alt="Overlap of the top genes with known markers, for each type, method and way.",
        column_config={
            "type": st.column_config.TextColumn(pinned=True),
            "n": st.column_config.NumberColumn(help="Cells."),
            "expected": st.column_config.NumberColumn(
                format="%.2f", help="Mean overlap of drawn sets of genes that are expressed alike."
            ),
            "p": st.column_config.NumberColumn(format="%.2g", help=f"{DRAWS:,} drawn sets."),
            "q": st.column_config.NumberColumn(
                format="%.2g", help="Benjamini–Hochberg over all tests of this table."
            ),
            "p hypergeometric (descriptive)": st.column_config.NumberColumn(
                format="%.2g", help="Against sets of any genes: small by default, since highly "
                "expressed genes are both attributed to and listed more often. No evidence.",
            ),
        },
    )  # fmt: skip
    st.caption(
        f"Top {view.k} genes by positive score against {plain(view.database.title)}; "
        f"{view.cells}. Chance: {DRAWS:,} sets of genes of the same expression in the same cells."
        + (f" Not confirmed yet: {plain(', '.join(open_labels))}." if open_labels else "")
    )


def _null(view: View) -> None:
    """The drawn sets of one test, with the observed overlap."""
    row = next(
        row
        for row in report_of(view).rows
        if (row.type, row.method, row.way, row.correct_only)
        == (view.type, view.method, view.way, view.correct_only)
    )
    st.markdown("**Against chance**")
    if row.test is None or not row.test.testable:
        st.info(plain(row.note or "Not tested."))
        return
    test = row.test
    q = "" if row.q is None else f", q = {row.q:.2g}"
    plot(
        figures.null_overlap(test.null_counts, test.overlap, test.null_mean), "null",
        f"{test.overlap} of {test.used} top genes are markers; {test.null_mean:.2f} expected. "
        f"p = {test.p:.2g}{q}; {test.draws:,} draws; {test.n_markers_seen} markers among "
        f"{test.n_seen:,} genes read; n = {row.n} cells.",
    )  # fmt: skip


def _precision(view: View) -> None:
    """Every method's curve, and the yardsticks'."""
    result, ks = view.result, np.arange(1, min(MOST_GENES, len(view.result.genes)) + 1)
    mine, scores = view.markers, view.scores
    st.markdown("**For every k**")
    curves = {
        method_title(name): precision_at_k(one.mean, mine, one.seen, ks)
        for name in result.methods
        if (one := result.over_seeds(name, view.way, view.type, view.correct_only)) is not None
    }
    yardsticks = {
        name: precision_at_k(values, mine, scores.seen, ks)
        for name, values in yardstick_scores(view.item, result, view.type).items()
    }
    lack = "" if yardsticks else " The yardsticks were not kept with this result."
    plot(
        figures.precision(curves, yardsticks, ks), "precision",
        f"{view.type}, {view.way}: share of markers among the top k, n = {scores.n} cells. Grey: "
        f"yardsticks that need no model. A curve ends where no positive score is left.{lack}",
    )  # fmt: skip


def _sorted(found: Markers) -> None:
    """For, against, missing, unseen."""
    for column, (field, title) in zip(st.columns(len(GROUPS)), GROUPS.items(), strict=True):
        genes = getattr(found, field)
        more = f" … and {len(genes) - SHOWN} more" if len(genes) > SHOWN else ""
        column.markdown(f"**{title}** ({len(genes)})")
        column.caption(plain(", ".join(genes[:SHOWN]) or "none") + more)


def _evidence(view: View) -> None:
    """What the database says of the top genes, with links."""
    top = top_of(view.scores, view.k)
    genes = view.result.genes
    found = find_markers(view.entry, genes)
    st.markdown(f"**What {plain(view.database.name)} says of the top {len(top)} genes**")
    st.dataframe(
        evidence_table(evidence_rows(view.entry, found, genes[top])), hide_index=True,
        key="evidence", alt="The top genes with the database's evidence and links.",
        column_config={
            name: st.column_config.LinkColumn(display_text="open", help="Opens in your browser.")
            for name in LINKS
        },
    )  # fmt: skip
    if view.entry.reference:
        st.markdown(f"Reference of the entry: [{plain(view.entry.reference)}]"
                    f"(https://doi.org/{view.entry.reference})")  # fmt: skip


def evidence_table(rows: list[EvidenceRow]) -> pd.DataFrame:
    """A row a gene; columns that the database has nothing for are left out."""
    table = pd.DataFrame(
        [
            {
                "gene": row.gene,
                "listed as": row.listed_as,
                "canonical": row.canonical,
                "sensitivity": row.sensitivity,
                "specificity (as listed)": row.specificity,
                "records": row.records,
                "organs": ", ".join(row.organs) or None,
                **row.links,
            }
            for row in rows
        ]
    )
    return table.dropna(axis=1, how="all") if len(table) else table
