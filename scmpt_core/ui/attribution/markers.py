"""Known markers: what each label is, the tests, and each marker's fate and evidence."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scmpt_core.markers import (
    EvidenceRow,
    Markers,
    evidence_rows,
    for_against_missing,
)
from scmpt_core.markers.evidence import LINKS
from scmpt_core.ui.attribution.matching import matching
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.report import null, precision, report
from scmpt_core.ui.attribution.scores import top_of
from scmpt_core.ui.components import plain
from scmpt_core.wording import amount, few

GROUPS = {
    "supporting": "For the type",
    "against": "Against it",
    "missing": "Read, and in neither",
    "unseen": "In the data, but never read",
}
ABSENT = "Listed, but not in the data"
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
    report(view)
    if view.entry is None:
        st.info(f"No entry is confirmed for {plain(view.result.explained(view.type))}.")
        return
    st.markdown(f"**{plain(view.subject)}**, held against {plain(view.entry.name)}")
    if (scores := view.scores) is None:
        st.info(f"{plain(view.way)} named no explained cell of {plain(view.type)} right.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        null(view)
    with right:
        precision(view)
    found = for_against_missing(view.result.genes, scores.mean, view.markers, scores.seen, view.k)
    _sorted(found, view.listed.absent)
    _evidence(view)


def _sorted(found: Markers, absent: Sequence[str]) -> None:
    """For, against, missing, unseen, and those that the data lack."""
    groups = {title: getattr(found, field) for field, title in GROUPS.items()} | {ABSENT: absent}
    for column, (title, genes) in zip(st.columns(len(groups)), groups.items(), strict=True):
        column.markdown(f"**{title}** ({len(genes)})")
        column.caption(plain(few(genes, SHOWN) or "none"))


def _evidence(view: View) -> None:
    """What the database says of the top genes, with links."""
    top = top_of(view.scores, view.k)
    genes = view.result.genes
    n = amount(len(top), "gene")
    st.markdown(f"**What {plain(view.database.name)} says of the top {n}**")
    st.dataframe(
        evidence_table(evidence_rows(view.entry, view.listed, genes[top])), hide_index=True,
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
