"""How sure: what each threshold costs, the cells' probabilities, the sizes of their label sets."""

from __future__ import annotations

import streamlit as st

from scmpt_core.labelling import OUTCOMES, Labelling, outcomes, set_sizes
from scmpt_core.library import Item
from scmpt_core.plots import labels as label_plots
from scmpt_core.ui.components import plot


def sure(item: Item, labelling: Labelling, summary: dict) -> None:
    """Three figures, each under the rule of this moment."""
    said, threshold = labelling.prediction, labelling.decision.threshold
    n, held = len(labelling.ids), len(said.sureness.confidence)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**What a threshold costs**")
        if held:
            plot(
                label_plots.risk(
                    said.sureness.confidence, said.sureness.right, threshold, labelling.rule.error
                ),
                "risk",
                f"{held:,} calibration cells: the fewer keep a label, the fewer are wrong. Dashed: "
                "the error asked for. The threshold is chosen and counted on the same cells, so "
                "new ones err slightly more often.",
            )
        else:
            st.info("The model has no calibration cells.")
    with right:
        st.markdown("**Probabilities of these cells**")
        plot(
            label_plots.probabilities(said.probability, outcomes(labelling), OUTCOMES, threshold),
            "probabilities",
            f"{int((~said.unread).sum()):,} of {n:,} cells; dashed: the threshold, "
            f"{threshold:.3f}. Cells above it are Unknown where they are far from all training "
            "cells.",
        )
    st.markdown(f"**Label sets at {labelling.rule.coverage:.0%} coverage**")
    plot(
        label_plots.set_sizes(set_sizes(labelling)), "set_sizes",
        f"{n:,} cells by the number of types in their set, from {said.sureness.sets.n:,} "
        "calibration cells. The share that holds the true type is kept on average over all cells "
        "like those of training; by type or donor, and in another study, it can differ.",
    )  # fmt: skip
