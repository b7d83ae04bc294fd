"""The browser app: pages, and the tray of jobs beside them."""

import streamlit as st

from scmpt_core.ui.shell import ICON, STYLE, entered
from scmpt_core.ui.tray import tray

st.set_page_config(
    page_title="scMPT",
    page_icon=ICON,
    layout="wide",
    initial_sidebar_state=240,
)
st.html(STYLE)
PAGES = {
    "start": st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
    "dataset": st.Page("pages/dataset.py", title="Dataset", icon=":material/upload_file:"),
    "compare": st.Page("pages/compare.py", title="Compare models", icon=":material/leaderboard:"),
    "classify": st.Page("pages/classify.py", title="Classify", icon=":material/label:"),
    "attribution": st.Page("pages/attribution.py", title="Attribution", icon=":material/biotech:"),
    "ablations": st.Page("pages/ablations.py", title="Ablations", icon=":material/content_cut:"),
    "jobs": st.Page("pages/jobs.py", title="Jobs", icon=":material/hourglass_top:"),
}
page = st.navigation(list(PAGES.values()))
entered(PAGES)
with st.sidebar:
    tray()
page.run()
