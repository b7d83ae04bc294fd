"""Models of a comparison: one row, a second model to hold the first against; a result in words."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from scmpt_core.evaluation import StoredComparison
from scmpt_core.library import Item
from scmpt_core.ui.components import ago


def row_of(result: StoredComparison, model: str) -> dict:
    """The row of the summary that is called ``model``."""
    return next(row for row in result.summary["models"] if row["name"] == model)


def against(label: str, result: StoredComparison, model: str, names: Sequence[str]) -> str | None:
    """One of ``names`` other than ``model``: first the one that it was tested against."""
    others = [name for name in names if name != model]
    if not others:
        return None
    pairs = [(p["a"], p["b"]) for p in result.summary["verdict"]["pairs"]]
    partners = [b if a == model else a for a, b in pairs if model in (a, b)]
    first = next((p for p in partners if p in others), others[-1])
    return st.selectbox(label, others, others.index(first), key=f"{label}_{model}")


def described(item: Item) -> str:
    """A comparison in a list of several; those of old had repeats alone."""
    meta = item.meta
    effort = f"{meta['effort']}, " if "effort" in meta else ""
    return (
        f"{', '.join(meta['encoders'])}, {effort}{meta['seeds']} repeat(s), "
        f"{ago(item.created)}: macro F1 {meta['macro_f1']:.3f}"
    )
