"""All scores as tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.attribution import Attribution, Source
from scmpt_core.markers import MarkerSet, find_markers
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.classify.models import model_title

Entries = Mapping[str, MarkerSet]


def downloads(view: View) -> None:
    """Two files, each made when its button is pressed."""
    result = view.result
    about = {"model": model_title(view.item.meta)}
    about["database"] = "" if view.database is None else view.database.title
    with st.container(horizontal=True):
        st.download_button(
            "Scores by type (.csv)",
            lambda: type_table(result, view.entries, **about).to_csv(index=False),
            f"{view.file('attribution', 'types')}.csv", "text/csv", on_click="ignore",
            icon=":material/download:", key="get_types",
            help="Mean and spread of every gene read, for each type, method, way and seed, over "
            "all cells" + (" and over those named right." if result.known else "."),
        )  # fmt: skip
        st.download_button(
            "Scores by cell (.csv)",
            lambda: cell_table(result, view.entries, **about).to_csv(index=False),
            f"{view.file('attribution', 'cells')}.csv", "text/csv", on_click="ignore",
            icon=":material/download:", key="get_cells", help="Every score that is not 0.",
        )  # fmt: skip


def type_table(
    result: Attribution, entries: Entries, model: str = "", database: str = ""
) -> pd.DataFrame:
    """A row a gene that was read, by type, method, way, seed and choice of cells; highest first.

    Without known types there is one choice of cells only. The spread over a single cell is blank.

    Parameters
    ----------
    entries
        Type → what it is in the database, of those confirmed; ``marker`` is blank for the others.
    """
    parts = []
    for name in result.type_names:
        marks = _marks(result, entries, name, database)
        for source in _ordered(result):
            for correct in (False, True) if result.known else (False,):
                scores = result.of_type(source, name, correct)
                if scores is None:
                    continue
                spread = scores.spread if scores.n > 1 else np.full(len(scores.mean), np.nan)
                values = {"gene": result.genes, "mean": scores.mean, "sd": spread, **marks}
                rows = pd.DataFrame(values)[scores.seen].sort_values(
                    "mean", ascending=False, kind="stable"
                )
                about = {"type": name, "logit of": result.explained(name), **vars(source),
                         "n": scores.n,
                         "cells": "named right" if correct else "all"}  # fmt: skip
                parts.append(_first(rows, about).assign(model=model))
    return pd.concat(parts, ignore_index=True)


def cell_table(
    result: Attribution, entries: Entries, model: str = "", database: str = ""
) -> pd.DataFrame:
    """A row a score that is not 0, by type, method, way, seed and cell; highest first."""
    parts = []
    for name in result.type_names:
        marks = _marks(result, entries, name, database)
        for source in _ordered(result):
            for row in result.cells_of(name, source.way):
                entry = result.scores[source][row]
                order = np.argsort(-entry.data, kind="stable")
                at = entry.indices[order]
                rows = pd.DataFrame({"gene": result.genes[at], "score": entry.data[order]})
                for column, values in marks.items():
                    rows[column] = values[at] if isinstance(values, np.ndarray) else values
                about = {
                    "type": name,
                    "logit of": result.explained(name),
                    **vars(source),
                    "cell": result.ids[row],
                }
                parts.append(_first(rows, about).assign(model=model))
    return pd.concat(parts, ignore_index=True)


def _ordered(result: Attribution) -> list[Source]:
    return [s for m in result.methods for way in result.ways for s in result.sources(m, way)]


def _first(rows: pd.DataFrame, about: dict) -> pd.DataFrame:
    """What all rows share, in front."""
    return pd.DataFrame({name: [value] * len(rows) for name, value in about.items()}).join(
        rows.reset_index(drop=True)
    )


def _marks(result: Attribution, entries: Entries, name: str, database: str) -> dict:
    """Whether each gene is a marker, yes or no, (genes,), of which entry; blank: not confirmed."""
    if (entry := entries.get(name)) is None:
        return {"marker": "", "entry": "", "database": ""}
    mask = find_markers(entry, result.genes).mask(result.genes)
    return {"marker": np.where(mask, "yes", "no"), "entry": entry.name, "database": database}
