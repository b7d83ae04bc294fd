"""Before it runs: which label, methods, types and cells; what it will cost."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.attribution import METHODS, SCGPT_PATHS, TEXT_BASELINES, Options, get_method
from scmpt_core.data import Dataset
from scmpt_core.fusion import read_config
from scmpt_core.jobs import submit
from scmpt_core.library import Item
from scmpt_core.ui.attribution.cost import cost_words
from scmpt_core.ui.attribution.scores import TITLES
from scmpt_core.ui.classify.models import Offer
from scmpt_core.ui.components import guarded
from scmpt_core.ui.labels import choose_label
from scmpt_core.ui.state import library, owner


def start(item: Item, dataset: Dataset, offer: Offer, busy: bool) -> None:
    """The form, its cost in words, and the button."""
    config = read_config(offer.folder)
    label = choose_label(
        dataset, config, "Type to explain", "attribution_label",
        "The known type of each cell, from a column whose names the model knows, or the type that "
        "the model gives it.",
    )  # fmt: skip
    methods = st.multiselect(
        "Methods", list(TITLES), ["ig"], format_func=TITLES.__getitem__, key="attribution_methods",
        help="  \n".join(f"**{m.title}**: {m.summary} ({m.reference})" for m in METHODS),
    )  # fmt: skip
    left, middle, right = st.columns([2, 1, 1])
    types = left.multiselect(
        "Types", config["classes"], key=f"attribution_types_{offer.id}",
        placeholder="all that the cells have",
    )  # fmt: skip
    cells = middle.number_input("Cells of each type", 1, 100, 5, key="attribution_cells")
    seeded = any(get_method(name).seeded for name in methods)
    seeds = right.number_input(
        "Seeds", 1, 20, 1, key="attribution_seeds", disabled=not seeded,
        help="Of methods that draw at random (LIME, SHAP): several show how stable they are.",
    )  # fmt: skip
    options = _options(methods)
    settings = {
        "dataset": item.id, "view": item.meta["view"], **offer.settings, "label": label,
        "methods": methods, "types": types or None, "cells": int(cells),
        "seeds": int(seeds) if seeded else 1, "options": options,
    }  # fmt: skip
    if st.button("Explain these cells", type="primary", key="attribute", icon=":material/biotech:",
                 disabled=busy or not methods, help=_why_not(busy, methods)):  # fmt: skip
        with guarded():
            _send(settings)
    if methods:
        expected = len(types) or _types(dataset, label, config["classes"])
        encoders = [identity["encoder"] for identity in config["encoders"]]
        genes = _genes_a_cell(dataset)
        st.caption(cost_words(settings, Options(**options), expected, genes, encoders))


def _why_not(busy: bool, methods: list[str]) -> str | None:
    if busy:
        return "Runs already."
    return None if methods else "Choose a method first."


def _send(settings: dict) -> None:
    """Queue it; the result will bear the job's id.

    Raises
    ------
    SettingError
        An option cannot be used.
    """
    Options(**settings["options"])
    job = submit(library().home, owner(), "attribute", settings)
    st.query_params["attribution"] = job.id
    st.query_params.pop("model", None)
    st.rerun()


def _types(dataset: Dataset, label: str | None, classes: list[str]) -> int:
    """Types of the model that the cells have; at most, where they are not known yet."""
    if label is None:
        return len(classes)
    return len(set(classes) & set(dataset.adata.obs[label].astype(str)))


def _genes_a_cell(dataset: Dataset) -> float:
    """Median number of genes that a cell expresses."""
    return float(np.median(np.diff(dataset.usable().expression.indptr)))


def _options(methods: list[str]) -> dict:
    """How the chosen methods work; the rest keeps its defaults."""
    usual, chosen = Options(), {}
    with st.expander("How the methods work"):
        if "ig" in methods:
            chosen |= _paths(usual)
        if "lime" in methods:
            chosen["samples"] = st.number_input(
                "LIME: perturbed cells", 10, 100_000, usual.samples, 100, key="lime_samples"
            )
        if "shap" in methods:
            chosen["permutations"] = st.number_input(
                "SHAP: orders of the genes", 2, 1_000, usual.permutations, key="permutations"
            )
        if not chosen:
            st.caption("Nothing to choose: a gene is taken out at a time.")
    return chosen


def _paths(usual: Options) -> dict:
    """Of integrated gradients."""
    first, second, third = st.columns(3)
    return {
        "steps": first.number_input(
            "Steps of the path", 2, usual.most_steps, usual.steps, key="steps",
            help=f"Doubled up to {usual.most_steps} until the scores miss at most "
            f"{usual.tolerance:.0%} of the difference that they explain.",
        ),
        "text_baseline": second.selectbox(
            "Text: a gene starts as", TEXT_BASELINES, key="text_baseline",
            format_func=lambda name: f"[{name.upper()}]",
        ),
        "scgpt": third.selectbox(
            "scGPT: what starts empty", SCGPT_PATHS, key="scgpt_path",
            help="gene+value: each gene goes towards <pad>. value: its identity is fixed and its "
            "value goes to 0.",
        ),
    }  # fmt: skip
