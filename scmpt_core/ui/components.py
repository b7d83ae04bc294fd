"""Pieces of pages: errors, progress, findings, plots."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scmpt_core.data import Finding
from scmpt_core.errors import ScmptError
from scmpt_core.progress import Progress, duration

_ICONS = {"error": "🛑 error", "warning": "⚠️ warning", "info": "ℹ️ info"}


@contextmanager
def guarded() -> Iterator[None]:
    """Show what the user can put right; anything else is a bug and goes through."""
    try:
        yield
    except ScmptError as error:
        st.error(f"**{_plain(error.message)}**\n\n{_plain(error.hint)}")


def _plain(text: str) -> str:
    """Text from a file, shown as text and not as markup."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#<>|~$:" else c for c in text)


def progress_bar(start: str) -> Progress:
    """A bar that shows the step and the time left of the whole."""
    bar, began = st.progress(0.0, text=start), time.monotonic()

    def report(fraction: float, message: str) -> None:
        elapsed = time.monotonic() - began
        left = ""
        if 0.02 < fraction < 1 and elapsed > 3:
            left = f" · about {duration(elapsed / fraction * (1 - fraction))} left in all"
        bar.progress(min(max(fraction, 0.0), 1.0), text=_plain(message) + left)

    return report


def findings_table(findings: list[Finding]) -> None:
    """Errors first, then warnings, then the rest."""
    order = {"error": 0, "warning": 1, "info": 2}
    rows = sorted(findings, key=lambda f: order[f.severity])
    frame = pd.DataFrame(
        {
            "severity": [_ICONS[f.severity] for f in rows],
            "what": [f.message for f in rows],
            "what to do": [f.hint for f in rows],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        row_height=58,
        column_config={
            "severity": st.column_config.TextColumn(width="small"),
            "what": st.column_config.TextColumn(width="large"),
            "what to do": st.column_config.TextColumn(width="medium"),
        },
    )


def plot(figure: go.Figure, key: str, caption: str) -> None:
    """A figure with its description in words below it, for screen readers too."""
    st.plotly_chart(figure, key=key, config={"toImageButtonOptions": {"filename": key}})
    st.caption(caption)
