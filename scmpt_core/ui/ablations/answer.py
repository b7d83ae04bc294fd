"""The answer: what cost most in a sentence; the rest in tabs that run when they are open."""

from __future__ import annotations

import streamlit as st

from scmpt_core.ablations import Ablated, unperturbed
from scmpt_core.library import Item
from scmpt_core.ui.ablations.board import board
from scmpt_core.ui.ablations.by_type import by_type
from scmpt_core.ui.ablations.curve import curve
from scmpt_core.ui.ablations.keep import View, ablated_of, rows_of
from scmpt_core.ui.ablations.table import table
from scmpt_core.ui.ablations.words import TITLES, verdict, way_words
from scmpt_core.ui.components import plain

TABS = {"Board": board, "Curve": curve, "By type": by_type, "Table": table}
BOTH = "both, side by side"


def answer(item: Item) -> None:
    """The whole result.

    Raises
    ------
    ModelError
        What is kept is damaged, or of another version.
    """
    result, rows = ablated_of(item), rows_of(item)
    _headline(item, result)
    for regime in result.regimes:
        st.success(plain(verdict(rows, regime, result.ways[0])))
    _skipped(result)
    view = _choose_view(item, result)
    tabs = st.tabs(list(TABS), key="part", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        with tab:
            if tab.open:
                draw(view)


def _headline(item: Item, result: Ablated) -> None:
    """What was asked of whom, and how good it is without any ablation."""
    settings = result.settings
    before = "; ".join(
        f"{u['regime']}: accuracy {u['accuracy']:.3f}, macro F1 {u['macro_f1']:.3f}"
        for u in unperturbed(result)
        if u["way"] == result.ways[0] and u["accuracy"] is not None
    )
    told = before or (
        "no types are known here, so only flipped labels and falls in probability are told"
    )
    st.markdown(
        f"{plain(item.meta['dataset_name'])}: **{plain(result.model)}** on {len(result.ids):,} "
        f"tested cells. Unperturbed, {plain(told)}."
    )
    draws = settings["seeds"]
    st.caption(
        plain(
            f"Trained on {settings['trained_on']}, label {settings['label']}; head "
            f"{settings['head']} over {', '.join(settings['encoders'])}; {draws} "
            f"draw{'s' * (draws != 1)} of ablations at random; {settings['normalisation']}"
            + (f"; markers: {item.meta['database']}" if item.meta.get("database") else "")
            + "."
        )
    )


def _skipped(result: Ablated) -> None:
    if result.skipped:
        reasons: dict[str, list[str]] = {}
        for name, why in result.skipped.items():
            reasons.setdefault(why, []).append(TITLES[name])
        told = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
        st.caption(plain(f"Not made: {told}."))


def _choose_view(item: Item, result: Ablated) -> View:
    """The choices that all tabs share."""
    left, right = st.columns(2)
    way = left.selectbox(
        "What is looked at", result.ways, key=f"way_{item.id}",
        format_func=lambda w: way_words(w, result.ways),
        help="The whole model, or the part of its head that reads one encoder alone.",
    )  # fmt: skip
    regimes = [*result.regimes, BOTH] if len(result.regimes) > 1 else result.regimes
    regime = right.selectbox(
        "Regime", regimes, len(regimes) - 1, key=f"regime_{item.id}",
        help="fixed: the model as trained. refit: its head fitted anew on perturbed cells.",
    )  # fmt: skip
    rows, beside = rows_of(item), None
    if regime == BOTH:
        regime, beside = result.regimes[:2]
    return View(item, result, rows, regime, way, beside)
