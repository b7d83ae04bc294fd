"""Before it runs: which label, methods, types and cells; what it will cost."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.attribution import METHODS, Options, get_method
from scmpt_core.data import Dataset
from scmpt_core.fusion import read_config
from scmpt_core.jobs import submit
from scmpt_core.library import Item
from scmpt_core.ui.attribution.cost import cost_words
from scmpt_core.ui.attribution.options import options_of
from scmpt_core.ui.attribution.scores import TITLES
from scmpt_core.ui.classify.models import Offer
from scmpt_core.ui.components import guarded
from scmpt_core.ui.labels import choose_label
from scmpt_core.ui.state import library, owner

MOST_CELLS = 100
OWN = "each cell's own type"


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
    first, second, middle, right = st.columns([2, 2, 1, 1])
    types = first.multiselect(
        "Types", config["classes"], key=f"attribution_types_{offer.id}",
        placeholder="all that the cells have",
    )  # fmt: skip
    target = second.selectbox(
        "What speaks for", [None, *config["classes"]], key=f"attribution_target_{offer.id}",
        format_func=lambda name: OWN if name is None else name,
        help="Whose logit the scores explain. A class named here is explained in the cells of "
        "every type chosen: what of these cells speaks for it, and what against it.",
    )  # fmt: skip
    st.session_state.setdefault("attribution_cells", 5)
    # without limits of its own: the browser would keep what is out of them to itself, and the
    # last number that was good would be used
    cells = middle.number_input("Cells of each type", value=None, step=1, key="attribution_cells")
    seeded = any(get_method(name).seeded for name in methods)
    seeds = right.number_input(
        "Seeds", 1, 20, 1, key="attribution_seeds", disabled=not seeded,
        help="Of methods that draw at random (LIME, SHAP): several show how stable they are.",
    )  # fmt: skip
    encoders = [identity["encoder"] for identity in config["encoders"]]
    options = options_of(methods, encoders)
    why_not = _why_not(busy, methods, cells)
    settings = {
        "dataset": item.id, "view": item.meta["view"], **offer.settings, "label": label,
        "methods": methods, "types": types or None, "target": target, "cells": cells,
        "seeds": int(seeds) if seeded else 1, "options": options,
    }  # fmt: skip
    if st.button("Explain these cells", type="primary", key="attribute", icon=":material/biotech:",
                 disabled=why_not is not None):  # fmt: skip
        with guarded():
            _send(settings)
    if why_not is not None:
        st.caption(f":orange[:material/info:] {why_not}")
        return
    expected = len(types) or _types(dataset, label, config["classes"])
    genes = _genes_a_cell(dataset)
    if "lime" in methods and options["samples"] < genes:
        st.warning(
            f"LIME: {options['samples']:,} perturbed cells are fewer than the genes of a cell "
            f"(about {genes:,.0f}). Its scores will be mostly chance: take several times as many "
            "cells as genes."
        )
    st.caption(cost_words(settings, Options(**options), expected, genes, encoders))


def _why_not(busy: bool, methods: list[str], cells: int | None) -> str | None:
    if busy:
        return "Cells are being explained already; wait for it, or stop it below."
    if not methods:
        return "Choose a method first."
    if cells is None or not 1 <= cells <= MOST_CELLS:
        return f"Cells of each type: give a number from 1 to {MOST_CELLS}."
    return None


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
