"""Ablations: what a model leans on, by perturbing the cells it reads."""

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.ablations.answer import answer
from scmpt_core.ui.ablations.start import start
from scmpt_core.ui.asked import Asked
from scmpt_core.ui.shell import through_app

through_app("ablations")
st.title("What does the model lean on?")


def described(result: Item) -> str:
    """In a line."""
    meta, n = result.meta, len(result.meta["ablations"])
    regimes = " and ".join(meta["regimes"])
    return f"{meta['model_name']}, {n} ablation{'s' * (n != 1)}, {regimes}, {meta['cells']} cells"


page = Asked(
    "ablations", "ablation", ("ablate", "robustness"), "Cells to perturb",
    "No cells are open yet. Open yours, or the demo; then choose a model, take something away from "
    "its cells, and see what its labels rested on.",
    "Try ablations on these cells, or run many", "What costs most", "Ablated", "Your ablations",
    described, described, start, answer,
)  # fmt: skip
page.draw()
page.list_kept()
