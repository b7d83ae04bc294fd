"""The browser app: pages, and the tray of jobs beside them."""

import streamlit as st

from scmpt_core.ui.tray import tray

# the default leaves 80 px at each side, a fifth of a small laptop's screen
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.5rem clamp(1rem, 3vw, 2.5rem) 4rem; }
h1 { font-size: clamp(1.6rem, 4vw, 2.3rem); }
</style>"""

st.set_page_config(
    page_title="scMPT", page_icon=":material/genetics:", layout="wide", initial_sidebar_state=240
)
st.html(STYLE)
page = st.navigation(
    [
        st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
        st.Page("pages/dataset.py", title="Dataset", icon=":material/upload_file:"),
        st.Page("pages/compare.py", title="Compare models", icon=":material/leaderboard:"),
        st.Page("pages/classify.py", title="Classify", icon=":material/label:"),
        st.Page("pages/jobs.py", title="Jobs", icon=":material/hourglass_top:"),
    ]
)
with st.sidebar:
    tray()
page.run()
