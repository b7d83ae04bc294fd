"""Saving a fitted model to label other cells with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import streamlit as st

from scmpt_core.evaluation import FUSION, StoredComparison
from scmpt_core.library import Item
from scmpt_core.ui.components import guarded, plain
from scmpt_core.ui.state import library, owner


def save_model(item: Item, result: StoredComparison) -> None:
    """Keep one of the fitted models under a name."""
    proposed, why = proposal(result)
    with st.form("save_model"):
        st.markdown("**Save a model to label other cells with**")
        st.caption(why)
        left, right = st.columns(2)
        model = left.selectbox("Model", result.fitted, result.fitted.index(proposed), key="keep")
        name = right.text_input(
            "Name", placeholder=f"{item.meta['dataset_name']} {item.meta['label']} {proposed}",
            help="Empty: the name that stands there in grey, with the model you chose.",
        )  # fmt: skip
        if st.form_submit_button("Save model", icon=":material/save:"):
            with guarded():
                kept = keep(item, result, model, name)
                st.session_state["saved_model"] = kept.id
    saved = st.session_state.get("saved_model")
    if saved in {m.id for m in library().list(owner(), "model")}:
        st.success("Saved.", icon=":material/check:")
        st.page_link("pages/classify.py", label="Label other cells with it",
                     icon=":material/label:", query_params={"model": saved})  # fmt: skip


def proposal(result: StoredComparison) -> tuple[str, str]:
    """The model to take, and why."""
    if FUSION in result.fitted:
        return FUSION, (
            f"Proposed is {FUSION}, the recommended fusion: it was chosen on other datasets "
            "beforehand, and says where its encoders disagree. The highest score of this table is "
            "partly luck, as it is picked from several."
        )
    best = result.best["name"]
    return best, f"Proposed is {plain(best)}, the best here; with one encoder nothing is fused."


def keep(item: Item, result: StoredComparison, model: str, name: str) -> Item:
    """Copy a fitted model of the first split into the library."""
    row = next(row for row in result.summary["models"] if row["name"] == model)
    name = name.strip() or f"{item.meta['dataset_name']} {item.meta['label']} {model}"

    def fill(folder: Path) -> dict:
        shutil.copytree(item.folder / "models" / model, folder / "model")
        # its own scores: the comparison's are means over several fitted models
        test = json.loads((folder / "model" / "config.json").read_text("utf-8"))["test"]
        return {
            "model": model, "encoders": row["encoders"], "comparison": item.id,
            "dataset_name": item.meta["dataset_name"], "label": item.meta["label"],
            "group": item.meta["group"], "classes": result.classes,
            "palette": result.summary["dataset"]["palette"],
            "test": test, "test_cells": result.summary["split"]["splits"][0]["test"],
        }  # fmt: skip

    return library().add(owner(), "model", name, fill)
