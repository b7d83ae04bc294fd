"""All scores as tables."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from scmpt_core.attribution import Attribution
from scmpt_core.library import Item


def downloads(item: Item, result: Attribution) -> None:
    """Two files, each made when its button is pressed."""
    name = item.meta["dataset_name"].rsplit(".", 1)[0]
    with st.container(horizontal=True):
        st.download_button(
            "Scores by type (.csv)", lambda: type_table(result).to_csv(index=False),
            f"{name}_attribution_types.csv", "text/csv", on_click="ignore",
            icon=":material/download:", key="get_types",
            help="Mean and spread of every gene read, for each type, method, way and seed, over "
            "all cells and over those named right.",
        )  # fmt: skip
        st.download_button(
            "Scores by cell (.csv)", lambda: cell_table(result).to_csv(index=False),
            f"{name}_attribution_cells.csv", "text/csv", on_click="ignore",
            icon=":material/download:", key="get_cells", help="Every score that is not 0.",
        )  # fmt: skip


def type_table(result: Attribution) -> pd.DataFrame:
    """A row a gene that was read, type, method, way, seed and choice of cells."""
    parts = []
    for source in result.scores:
        for name in result.type_names:
            for correct in (False, True):
                scores = result.of_type(source, name, correct)
                if scores is not None:
                    about = {**vars(source), "type": name, "n": scores.n,
                             "cells": "named right" if correct else "all"}  # fmt: skip
                    values = {"gene": result.genes, "mean": scores.mean, "sd": scores.spread}
                    parts.append(pd.DataFrame(values)[scores.seen].assign(**about))
    return pd.concat(parts, ignore_index=True)


def cell_table(result: Attribution) -> pd.DataFrame:
    """A row a score."""
    parts = []
    for source, matrix in result.scores.items():
        entries = matrix.tocoo()
        values = {
            "cell": result.ids[entries.row],
            "type": [result.classes[code] for code in result.types[entries.row]],
            "gene": result.genes[entries.col],
            "score": entries.data,
        }
        parts.append(pd.DataFrame(values).assign(**vars(source)))
    return pd.concat(parts, ignore_index=True)
