"""Every page is reached through ``app.py``.

Streamlit takes the folder ``pages/`` for an app of its older kind until ``st.navigation`` has run
once in the server's life. The first visit after a start, if it goes straight to a page's address,
would therefore see that page alone; it is sent through ``app.py`` and comes back.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# the default leaves 80 px at each side, a fifth of a small laptop's screen
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.5rem clamp(1rem, 3vw, 2.5rem) 4rem; }
[class*="st-key-wide_"] { overflow-x: auto; }
[class*="st-key-wide_"] > * { min-width: 34rem; }
h1 { font-size: clamp(1.6rem, 4vw, 2.3rem); }
</style>"""
# drawn here: an emoji or icon of Streamlit's would be fetched from the network
ICON = (Path(__file__).parents[1] / "assets" / "icon.svg").read_text(encoding="utf-8")
_TARGET = "target_page"
_started = False  # of this process: whether app.py has run


def entered(pages: dict[str, st.Page]) -> None:
    """``app.py`` says that its navigation stands; whoever was sent here goes on."""
    global _started
    _started = True
    target = st.session_state.pop(_TARGET, None)
    if target is not None:
        st.switch_page(pages[target[0]], query_params=target[1])


def through_app(page: str) -> None:
    """A page says its name; stops unless it was reached through ``app.py``."""
    if not _started:
        st.session_state[_TARGET] = (page, st.query_params.to_dict())
        st.switch_page("app.py")
