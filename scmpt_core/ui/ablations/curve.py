"""One ablation from weak to strong."""

from __future__ import annotations

import streamlit as st

from scmpt_core.ablations import curve as by_strength
from scmpt_core.ablations import get_ablation, unperturbed
from scmpt_core.plots import ablations as figures
from scmpt_core.ui.ablations.keep import View
from scmpt_core.ui.ablations.words import TITLES
from scmpt_core.ui.components import plain, plot


def curve(view: View) -> None:
    """Every part of the model as a line."""
    strengths: dict[tuple[str, str], set[float]] = {}
    for row in view.rows:
        if row.regime == view.regime and row.strength is not None:
            strengths.setdefault((row.ablation, row.target), set()).add(row.strength)
    if not strengths:
        st.info("None of these ablations has a strength.")
        return
    options = sorted(strengths, key=lambda key: len(strengths[key]) == 1)  # curves first
    name, target = st.selectbox(
        "Ablation", options, key=f"curve_{view.item.id}",
        format_func=lambda key: TITLES[key[0]] + (f", {key[1]}" if key[1] else ""),
    )  # fmt: skip
    info = get_ablation(name)
    if len(strengths[name, target]) == 1:
        st.info("It was run at one strength. Run it with whole curves to see how it rises.")
    for regime in (view.regime, *([view.beside] if view.beside else [])):
        _curve(view, name, target, regime, info.title)


def _curve(view: View, name: str, target: str, regime: str, title: str) -> None:
    result = view.result
    lines = {
        way: rows
        for way in result.ways
        if (rows := by_strength(view.rows, name, regime, way, target))
    }
    before = {u["way"]: u["macro_f1"] for u in unperturbed(result) if u["regime"] == regime}
    styles = figures.way_styles(result.ways, result.settings["encoders"])
    seeds = next(iter(lines.values()))[0].seeds
    spread = f"; whiskers: one standard deviation over {seeds} draws" if seeds > 1 else ""
    dotted = ". Dotted: unperturbed" if result.known else ""
    plot(
        figures.curve(lines, before, styles, get_ablation(name).strength), f"curve_{regime}",
        f"{title}, {regime}, from weak (left) to strong: "
        f"{'macro F1' if result.known else 'share of labels that flip'} on n = "
        f"{len(result.ids):,} cells{spread}{dotted}.",
    )  # fmt: skip
    absent = [way for way in result.ways if way not in lines]
    if absent:
        st.caption(f"{plain(', '.join(absent))} read nothing of it.")
