"""Start: what this is, and one button to try it."""

import streamlit as st

from scmpt_core.data import DEMO_LABEL
from scmpt_core.encoders import DEFAULT_FUSED
from scmpt_core.progress import duration
from scmpt_core.ui.compare.settings import (
    DEMO_CELLS,
    comparison_settings,
    demo_seconds,
    start_comparison,
)
from scmpt_core.ui.components import guarded
from scmpt_core.ui.files import add_demo
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import book, library, open_item, owner

through_app("start")
st.title("scMPT")
st.markdown(
    "Name the types of your single cells with two kinds of model at once, and see how far to "
    "trust them.  \n"
    "A cell is read as a *sentence* of its genes by a text encoder, and as tokens by scGPT; a "
    "small model fuses both.  \n"
    "You compare the models on cells whose types you know, keep the best, label other cells, and "
    "see which genes carried the labels."
)


def try_demo() -> None:
    """Open the demo and lead to its comparison, running one unless there is one."""
    item = add_demo()
    open_item(item)
    there = [c for c in library().list(owner(), "comparison") if c.meta["dataset"] == item.id]
    running = [j for j in book().active(owner()) if j.settings.get("dataset") == item.id]
    if not there and not running:
        start_comparison(comparison_settings(item, DEMO_LABEL, None, DEFAULT_FUSED, "quick"))
    st.switch_page("pages/compare.py", query_params={"dataset": item.id})


if st.button("Try it on demo cells", type="primary", icon=":material/play_arrow:", key="try"):
    with guarded(), st.spinner("Opening the demo …"):
        try_demo()
st.caption(
    f"{DEMO_CELLS} blood cells; takes about {duration(demo_seconds())} on this machine, without "
    "network."
)

first, second, third, fourth = st.columns(4, border=True)
with first:
    st.markdown("**1. Your cells**")
    st.caption("An .h5ad, 10x or table file; what is in it, and whether it can be used.")
    st.page_link("pages/dataset.py", label="Open a dataset", icon=":material/upload_file:")
with second:
    st.markdown("**2. Compare**")
    st.caption("Each encoder alone, their fusions, and plain baselines, on cells kept apart.")
    st.page_link("pages/compare.py", label="Compare models", icon=":material/leaderboard:")
with third:
    st.markdown("**3. Label**")
    st.caption("A saved model names new cells; download them as .h5ad or .csv.")
    st.page_link("pages/classify.py", label="Classify cells", icon=":material/label:")
with fourth:
    st.markdown("**4. Explain**")
    st.caption("Which genes carried a label, by several methods, and whether they are markers.")
    st.page_link("pages/attribution.py", label="See the genes", icon=":material/biotech:")
    st.caption("What the labels rest on: take genes, their order or their names away.")
    st.page_link("pages/ablations.py", label="Take things away", icon=":material/content_cut:")
st.caption(
    "Everything runs on the machine that serves this page; no cell leaves it. Method: "
    "[arXiv 2507.10039](https://arxiv.org/abs/2507.10039)."
)
