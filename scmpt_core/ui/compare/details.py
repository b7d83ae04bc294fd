"""Details of a comparison, each in a tab that runs when it is opened."""

from __future__ import annotations

from functools import partial

import streamlit as st

from scmpt_core.evaluation import StoredComparison
from scmpt_core.library import Item
from scmpt_core.ui.compare.agreement import agreement
from scmpt_core.ui.compare.maps import maps
from scmpt_core.ui.compare.sure import calibration
from scmpt_core.ui.compare.training import curves
from scmpt_core.ui.compare.types import confusion, mistakes, per_type


def details(item: Item, result: StoredComparison) -> None:
    """The tabs; one model is looked at in all of them."""
    best = result.fitted.index(result.best["name"])
    model = st.selectbox(
        "Model in detail", result.fitted, best, key="model", bind="query-params",
        help="Baselines are scored, and not kept cell by cell.",
    )  # fmt: skip
    draw = {
        "Maps": partial(maps, item, result, model),
        "Confusion": partial(confusion, result, model),
        "Per type": partial(per_type, result, model),
        "Calibration": partial(calibration, result, model),
        "Agreement": partial(agreement, item, result),
        "Learning curves": partial(curves, result, model),
        "Mistakes": partial(mistakes, result, model),
    }
    for name, tab in zip(draw, st.tabs(list(draw), key="view", bind="query-params"), strict=True):
        with tab:
            if tab.open:
                draw[name]()
