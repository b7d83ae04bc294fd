"""How the chosen methods work, as far as a user may choose it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from scmpt_core.attribution import SCGPT_PATHS, TEXT_BASELINES, Options
from scmpt_core.ui.attribution.headline import encoders_of


def options_of(methods: Sequence[str], encoders: Sequence[str]) -> dict:
    """Of the methods, for a model with these encoders; the rest keeps its defaults."""
    usual, chosen = Options(), {}
    with st.expander("How the methods work"):
        if "ig" in methods:
            chosen |= _paths(usual, encoders)
        if "lime" in methods:
            chosen["samples"] = st.number_input(
                "LIME: perturbed cells", 10, 100_000, usual.samples, 100, key="lime_samples",
                help="Several times as many as a cell has genes; fewer give chance.",
            )  # fmt: skip
        if "shap" in methods:
            chosen["permutations"] = st.number_input(
                "SHAP: orders of the genes", 4, 1_000, usual.permutations, 2, key="permutations",
                help="An even number: each order goes with its reverse.",
            )  # fmt: skip
        if not chosen:
            st.caption(
                "Nothing to choose: a gene is taken out at a time." if methods
                else "Choose a method first."
            )  # fmt: skip
    return chosen


def _paths(usual: Options, encoders: Sequence[str]) -> dict:
    """Of integrated gradients, as far as the model has encoders that they concern."""
    first, second, third = st.columns(3)
    chosen = {
        "steps": first.number_input(
            "Steps of the path", 2, usual.most_steps, usual.steps, key="steps",
            help=f"Doubled up to {usual.most_steps} until the scores miss at most "
            f"{usual.tolerance:.0%} of the difference that they explain.",
        )
    }  # fmt: skip
    if encoders_of("text", encoders):
        chosen["text_baseline"] = second.selectbox(
            "Text: a gene starts as", TEXT_BASELINES, key="text_baseline",
            format_func=lambda name: f"[{name.upper()}]",
        )  # fmt: skip
    if encoders_of("genes", encoders):
        chosen["scgpt"] = third.selectbox(
            "scGPT: what starts empty", SCGPT_PATHS, key="scgpt_path",
            help="gene+value: each gene goes towards <pad>. value: its identity is fixed and its "
            "value goes to 0.",
        )  # fmt: skip
    return chosen
