"""Which gene is looked at: clicked in a chart, or chosen in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import top_of

ONE_GENE = "One gene"  # the tab
_KEY = "one_gene"


def open_gene(key: str, genes: list[str]) -> Callable[[], None]:
    """For a bar chart's clicks: the clicked gene's own tab.

    Parameters
    ----------
    key
        Of the chart.
    genes
        From its first bar to its last.
    """

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:  # a second click takes the first back
            st.session_state.update({_KEY: genes[round(points[0]["y"])], "part": ONE_GENE})

    return clicked


def choose_gene(view: View, genes: Iterable[str]) -> str:
    """The gene to look at; the top genes stand first in the list, then all others of the file."""
    top = [] if view.scores is None else view.result.genes[top_of(view.scores, view.k)].tolist()
    options = [*top, *sorted(set(genes) - set(top))]
    if st.session_state.get(_KEY) not in options:
        st.session_state.pop(_KEY, None)  # of another result
    return st.selectbox(
        f"Gene (first the top {len(top)}, then all others)", options, key=_KEY,
        persist_state="session", help="A click on a bar under Top genes leads here too.",
    )  # fmt: skip
