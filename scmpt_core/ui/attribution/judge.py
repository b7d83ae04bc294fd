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


def report_table(rows: list[ReportRow]) -> pd.DataFrame:
    """The report, a row a test; what was not tested keeps its reason."""
    return pd.DataFrame([_row(row) for row in rows])


def _row(row: ReportRow) -> dict:
    test = row.test
    return {
        "type": row.type,
        "entry": row.entry,
        "method": method_title(row.method),
        "way": row.way,
        "n": row.n,
        "markers in top": None if test is None else test.overlap,
        "top genes": None if test is None else test.used,
        "expected": np.nan if test is None or test.null_mean is None else test.null_mean,
        "p": np.nan if test is None or test.p is None else test.p,
        "q": np.nan if row.q is None else row.q,
        "p hypergeometric (descriptive)": np.nan
        if test is None or test.p_hypergeom is None
        else test.p_hypergeom,
        "markers": "" if test is None else ", ".join(test.found),
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
