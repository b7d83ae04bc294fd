"""How training went."""

from __future__ import annotations

import streamlit as st

from scmpt_core import plots
from scmpt_core.evaluation import StoredComparison, settings_table
from scmpt_core.fusion import get_head
from scmpt_core.ui.compare.models import row_of
from scmpt_core.ui.components import plain, plot


def curves(result: StoredComparison, model: str) -> None:
    """The learning curve of each run, or why there is none; and what was chosen."""
    row, runs = row_of(result, model), result.histories[model]
    if any(history for _, _, history in runs):
        plot(
            plots.learning_curves(runs, model), "curve",
            f"{len(runs)} run(s), each of the setting that was chosen on the validation cells; "
            "training stops when the validation loss no longer falls.",
        )  # fmt: skip
    else:
        st.info(_why_none(row))
    st.markdown("**What was chosen, split by split**")
    st.dataframe(settings_table(row), hide_index=True, key="chosen")
    if len(row["encoders"]) > 1:
        st.caption(f"Lists hold one entry an encoder: {plain(', '.join(row['encoders']))}.")


def _why_none(row: dict) -> str:
    head = get_head(row["head"])
    text = (
        f"{plain(row['name'])} has no learning curve. Its head is {plain(head.title.lower())}: "
        f"{plain(head.summary)}. A regression has one best solution, which is computed and not "
        "approached epoch by epoch."
    )
    if "dense" in row["hyperparameters"][0]:
        text += " The curves of its dense networks stand under the models named +mlp."
    return text
