"""Which column holds the known types of the cells."""

from __future__ import annotations

import streamlit as st

from scmpt_core.data import Dataset
from scmpt_core.ui.components import plain

PREDICTED = "what the model predicts"


def choose_label(dataset: Dataset, config: dict, title: str, key: str, about: str) -> str | None:
    """A column whose names the model knows; ``None``: its own prediction stands in for the type.

    Parameters
    ----------
    config
        Of the model's folder.
    key
        Front of the widget's.
    about
        Help.
    """
    columns = [found.column for found in dataset.labels]
    fits = [c for c in columns if set(config["classes"]) & set(dataset.adata.obs[c].astype(str))]
    options = [PREDICTED, *fits]
    at = options.index(config["label"]) if config["label"] in fits else 0
    chosen = st.selectbox(
        title, options, at, key=f"{key}_{dataset.name}_{len(options)}", help=about
    )
    if others := [column for column in columns if column not in fits]:
        st.caption(
            f"Not offered: {plain(', '.join(others))}, whose names the model does not know "
            f"(it knows {plain(', '.join(config['classes']))})."
        )
    return None if chosen == PREDICTED else chosen
