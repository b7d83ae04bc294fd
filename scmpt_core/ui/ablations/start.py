"""Before it runs: one ablation at once, one's own genes, many as a job, or a robustness card."""

from __future__ import annotations

from collections.abc import Set

import streamlit as st

from scmpt_core.data import Dataset
from scmpt_core.library import Item
from scmpt_core.ui.ablations.many import many
from scmpt_core.ui.ablations.own_genes import own_genes
from scmpt_core.ui.ablations.robust import robustness
from scmpt_core.ui.ablations.subject import choose_subject
from scmpt_core.ui.ablations.try_one import try_one
from scmpt_core.ui.classify.models import Offer

TABS = {"Try one": try_one, "Your own genes": own_genes, "Run many": many}


CARD = "Robustness card"


def start(item: Item, dataset: Dataset, offer: Offer, running: Set[str]) -> None:
    """What is known of the cells, then the ways to ask; ``running`` are kinds of jobs."""
    subject = choose_subject(item, dataset, offer)
    tabs = st.tabs([*TABS, CARD], key="ask", on_change="rerun")
    for tab, draw in zip(tabs[:-1], TABS.values(), strict=True):
        with tab:
            if tab.open:
                draw(subject, "ablate" in running)
    with tabs[-1]:
        if tabs[-1].open:
            robustness(item, offer, "robustness" in running)
