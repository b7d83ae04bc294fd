"""The browser app: pages, nothing else."""

import streamlit as st

st.set_page_config(page_title="scMPT", page_icon="🧬", layout="wide")
st.navigation(
    [
        st.Page("pages/dataset.py", title="Dataset", icon=":material/upload_file:", default=True),
        st.Page("pages/compare.py", title="Compare models", icon=":material/leaderboard:"),
    ]
).run()
