"""Tests of all types, methods and ways against the markers: computed once for what is chosen."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.attribution import Attribution
from scmpt_core.attribution.judged import (
    MarkerReport,
    ReportRow,
    Yardsticks,
    judge_markers,
    load_yardsticks,
)
from scmpt_core.library import Item
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import method_title

DRAWS, SEED = 10_000, 0


def report_of(view: View) -> MarkerReport:
    """The report on all confirmed labels."""
    matches = json.dumps([match.to_json() for match in view.matches], sort_keys=True)
    about = (view.item.id, view.item.created, view.database.title, view.database.sha256)
    return _judged(about, matches, view.k, view)


@st.cache_resource(max_entries=20, show_spinner="Comparing with markers …")
def _judged(about: tuple, matches: str, k: int, _view: View) -> MarkerReport:
    return judge_markers(
        _view.result, _view.database, _view.matches, k, DRAWS, SEED, yardsticks_of(_view.item)
    )


def report_table(rows: list[ReportRow], first: str = "") -> pd.DataFrame:
    """The report, a row a test, those of the type ``first`` before others.

    What was not tested keeps its reason.
    """
    return pd.DataFrame([_row(row) for row in sorted(rows, key=lambda row: row.type != first)])


def whole_table(report: MarkerReport) -> pd.DataFrame:
    """All tests, of all choices of cells, to be kept as a file."""
    cells = ["named right" if row.correct_only else "all" for row in report.rows]
    return report_table(report.rows).assign(cells=cells, database=report.database, k=report.k)


def _row(row: ReportRow) -> dict:
    test = row.test
    return {
        "type": row.type,
        "method": method_title(row.method),
        "way": row.way,
        "markers in top": None if test is None else test.overlap,
        "markers": "" if test is None else ", ".join(test.found),
        "top genes": None if test is None else test.used,
        "expected": np.nan if test is None or test.null_mean is None else test.null_mean,
        "p": np.nan if test is None or test.p is None else test.p,
        "q": np.nan if row.q is None else row.q,
        "p hypergeometric (descriptive)": np.nan
        if test is None or test.p_hypergeom is None
        else test.p_hypergeom,
        "n": row.n,
        "entry": row.entry,
        "note": row.note,
    }


def yardsticks_of(item: Item) -> Yardsticks | None:
    """Two orders of genes that need no model; ``None`` where none were kept."""
    return _yardsticks(item.id, item.created, item)


@st.cache_resource(max_entries=4, show_spinner=False)
def _yardsticks(id: str, created: float, _item: Item) -> Yardsticks | None:
    return load_yardsticks(_item.folder)


def yardstick_scores(item: Item, result: Attribution, name: str) -> dict[str, np.ndarray]:
    """Name of the yardstick → its scores for a type, (genes,); empty where none were kept."""
    kept = yardsticks_of(item)
    if kept is None:
        return {}
    code = result.classes.index(name)
    return {title: scores[code] for title, scores in kept.scores.items()}
