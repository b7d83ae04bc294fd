"""What one ablation did: scores before and after, of the whole model and its parts, by type."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.ablations import Ablated, Row, summarise, type_rows, unperturbed
from scmpt_core.plots import ablations as figures
from scmpt_core.ui.ablations.words import signed, way_words
from scmpt_core.ui.components import plain, plot


def shown(result: Ablated, ablation: str, target: str, place: str) -> None:
    """Numbers first, then the parts and the types.

    Parameters
    ----------
    target
        The encoder, for the family "encoders"; else ``""``.
    place
        Where on the page: part of the widgets' keys.
    """
    rows = [r for r in summarise(result) if (r.ablation, r.target) == (ablation, target)]
    if not rows:
        st.info(f"It cannot be made here: {plain(result.skipped[ablation])}.")
        return
    before = {u["way"]: u for u in unperturbed(result)}
    _headline(rows[0], before[rows[0].way])
    _parts(result, rows, before, place)
    _chart(result, rows, before, place)
    with st.expander("What changed by type", key=f"types_{place}"):
        _types(result, rows, place)


def _headline(row: Row, before: dict) -> None:
    """Of the whole model."""
    with st.container(horizontal=True, gap="large"):
        for name, title in (("accuracy", "Accuracy"), ("macro_f1", "Macro F1")):
            now = getattr(row, name)
            if now is not None:
                st.metric(title, f"{before[name]:.3f} → {now:.3f}", f"{now - before[name]:+.3f}",
                          width="content")  # fmt: skip
        st.metric("Labels flipped", f"{row.flipped:.1%}", width="content",
                  help="Cells whose label is another one than without the ablation.")  # fmt: skip
        st.metric(
            "Fall in probability", f"{row.lost:.3f}", width="content",
            help="Mean fall of the calibrated probability of the label given before.",
        )  # fmt: skip
    draws = f", mean of {row.seeds} draws" if row.seeds > 1 else ""
    told = f"{row.title}, {row.way}: n = {row.n:,} cells{draws}."
    if row.interval is not None:
        told += (
            f" Macro F1 falls by {signed(row.macro_f1_drop, row.interval)}: 95 % interval, "
            f"bootstrap over {row.interval.n:,} {row.interval.unit}."
        )
    elif row.macro_f1 is not None:
        told += " No interval: fewer than five groups."
    else:
        told += " No types are known, so neither accuracy nor F1 can be told."
    if row.unlabelled:
        told += f" {row.unlabelled:.1%} of the cells have no gene left, so no label."
    st.caption(plain(told))


def _parts(result: Ablated, rows: list[Row], before: dict[str, dict], place: str) -> None:
    """A row a way."""
    columns = {"part": [way_words(r.way, result.ways) for r in rows]}
    if result.known:
        for name, title in (("accuracy", "accuracy"), ("macro_f1", "macro F1")):
            columns[title] = [
                f"{before[r.way][name]:.3f} → {getattr(r, name):.3f}{_sd(getattr(r, f'{name}_sd'))}"
                for r in rows
            ]
        columns["drop in macro F1 (95 %)"] = [signed(r.macro_f1_drop, r.interval) for r in rows]
    columns["flipped"] = [f"{r.flipped:.1%}" for r in rows]
    columns["fall in probability"] = [f"{r.lost:.3f}" for r in rows]
    st.dataframe(pd.DataFrame(columns), hide_index=True, key=f"parts_{place}",
                 alt="Scores of the whole model and of each encoder's part.")  # fmt: skip
    lacking = [w for w in result.ways if w not in {r.way for r in rows}]
    if lacking:
        st.caption(
            f"{plain(', '.join(lacking))} read nothing of what was changed: as before."
        )  # fmt: skip


def _sd(value: float | None) -> str:
    return "" if value is None else f" ± {value:.3f}"


def _chart(result: Ablated, rows: list[Row], before: dict[str, dict], place: str) -> None:
    ways = [r.way for r in rows]
    if result.known:
        first, now = [before[w]["macro_f1"] for w in ways], [r.macro_f1 for r in rows]
        unit = "macro F1"
    else:
        first = [float(result.before["fixed", w].probability.mean()) for w in ways]
        now = [a - r.lost for a, r in zip(first, rows, strict=True)]
        unit = "mean probability of the label that it had"
    styles = figures.way_styles(result.ways, result.settings["encoders"])
    plot(
        figures.before_after(ways, first, now, styles, unit), f"before_after_{place}",
        f"{unit[0].upper()}{unit[1:]}: before (open) and after (full), n = {rows[0].n:,} cells.",
    )  # fmt: skip


def _types(result: Ablated, rows: list[Row], place: str) -> None:
    """Of the whole model, or a part."""
    ways = [r.way for r in rows]
    way = ways[0] if len(ways) == 1 else st.selectbox(
        "Part", ways, format_func=lambda w: way_words(w, result.ways), key=f"types_way_{place}"
    )  # fmt: skip
    types = type_rows(result, rows[ways.index(way)])
    table = pd.DataFrame([row.to_json() for row in types])
    if result.known:
        table.insert(2, "recall before", table["recall"] + table["recall_drop"])
    else:
        table = table.drop(columns=["recall", "recall_drop"])
    table = table.sort_values("flipped", ascending=False, kind="stable")
    names = {
        "recall": "recall after",
        "recall_drop": "drop in recall",
        "lost": "fall in probability",
    }
    st.dataframe(
        table.rename(columns=names), hide_index=True, key=f"types_table_{place}",
        alt="What changed in the cells of each type.",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("recall before", *names.values(), "flipped")
        },
    )  # fmt: skip
    st.caption(
        "n: tested cells of the type"
        + ("" if result.known else ", by what the model says without the ablation")
        + ". The most flipped type first."
    )


def flipped_first(result: Ablated, at: int, way: str) -> np.ndarray:
    """Positions of the tested cells: those with another label first, then the largest falls.

    Parameters
    ----------
    at
        Of the setting.
    """
    before, after = result.before["fixed", way], result.after["fixed", way]
    fall = before.probability - after.probability[at]
    same = before.predicted == after.predicted[at]
    return np.lexsort((-fall, same))
