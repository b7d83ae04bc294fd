"""All rows, and what they come from, as files."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from scmpt_core.ablations import Ablated, Row, unperturbed
from scmpt_core.ui.ablations.keep import View


def table(view: View) -> None:
    """Every ablation, strength, way and regime."""
    frame = rows_table(view.rows)
    st.dataframe(
        frame.dropna(axis=1, how="all"), hide_index=True, key="all_rows",
        alt="Scores of every ablation, strength, part and regime.",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in frame.select_dtypes("float").columns
        },
    )  # fmt: skip
    name = view.item.meta["dataset_name"].rsplit(".", 1)[0]
    with st.container(horizontal=True):
        st.download_button(
            "All rows (.csv)", lambda: frame.to_csv(index=False), f"{name}_ablations.csv",
            "text/csv", on_click="ignore", icon=":material/download:", key="get_rows",
        )  # fmt: skip
        st.download_button(
            "All rows and settings (.json)", lambda: result_json(view.result, view.rows),
            f"{name}_ablations.json", "application/json", on_click="ignore",
            icon=":material/download:", key="get_json",
        )  # fmt: skip


def rows_table(rows: list[Row]) -> pd.DataFrame:
    """A line a row; the interval's ends in columns of their own."""
    lines = []
    for row in rows:
        line = row.to_json()
        interval = line.pop("interval")
        for end in ("low", "high"):
            line[f"macro_f1_drop_{end}"] = None if interval is None else interval[end]
        lines.append(line)
    frame = pd.DataFrame(lines)
    first = ["title", "regime", "way"]
    frame = frame[[*first, *(c for c in frame if c not in first)]]
    floats = [c for c in frame if frame[c].dtype == object and _numbers(frame[c])]
    return frame.astype(dict.fromkeys(floats, float))


def _numbers(column: pd.Series) -> bool:
    return all(value is None or isinstance(value, float) for value in column)


def result_json(result: Ablated, rows: list[Row]) -> str:
    """Everything but the answers of single cells."""
    whole = {
        "model": result.model, "dataset": result.dataset, "classes": list(result.classes),
        "n": len(result.ids), "known": result.known, "settings": result.settings,
        "skipped": result.skipped, "encoded": result.encoded,
        "unperturbed": unperturbed(result), "rows": [row.to_json() for row in rows],
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1)
