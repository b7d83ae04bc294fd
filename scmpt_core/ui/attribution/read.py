"""One cell's genes in reading order; a click takes one away, and the model is asked again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.plots.attribution import SIGN
from scmpt_core.plots.sentence import factor_words, sentence
from scmpt_core.ui.attribution.away import askable, without
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import method_title
from scmpt_core.ui.components import plot

_ROUNDS = "sentence_rounds"  # charts drawn: each click draws a new one, on which nothing is chosen


@st.fragment
def read_cell(view: View, row: int, table: pd.DataFrame, shown: int) -> None:
    """The sentence, what the model says without the genes taken away, and which these are.

    Parameters
    ----------
    table
        The cell's expressed genes, from the most expressed down.
    shown
        How many of them are drawn.
    """
    key = f"away_{view.item.id}_{row}"
    kept = askable(view.item)
    gone = st.session_state.get(key, []) if kept is not None else []
    part = table.head(shown)
    scores = part["score"].to_numpy(float)
    chart = f"sentence_{st.session_state.get(_ROUNDS, 0)}"
    plot(
        sentence(
            part["gene"].tolist(), scores, part["marker"].fillna(False).to_numpy(bool),
            part["gene"].isin(gone).to_numpy(),
        ),
        chart, _caption(view, row, len(part), len(table), factor_words(scores), kept is not None),
        wide=True, name=view.file(str(view.result.ids[row]), view.method, view.way),
        on_point=None if kept is None else lambda: _toggle(chart, key, part["gene"].tolist()),
    )  # fmt: skip
    st.markdown("**What the model says without some genes**")
    if kept is None:
        st.info("The model or the cells are no longer kept, so it cannot be asked again.")
        return
    if gone:
        without(view, row, gone, kept)
    else:
        st.caption("Take genes away to see how the probabilities move: click them, or name them.")
    _box(key, table)


def _box(key: str, table: pd.DataFrame) -> None:
    """All that was taken away; below the answer, so that its open list hides nothing."""
    order = table.assign(score=table["score"].fillna(-np.inf))  # those not read come last
    genes = order.sort_values("score", ascending=False, kind="stable")["gene"].tolist()
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    chosen = left.multiselect(
        "Genes taken away", genes, key=key, placeholder="the highest score first",
    )  # fmt: skip
    right.button(
        "Put all back", key="put_back", icon=":material/undo:", disabled=not chosen,
        on_click=st.session_state.update, args=({key: []},), width="stretch",
    )  # fmt: skip


def _toggle(chart: str, key: str, genes: list[str]) -> None:
    """A click takes a gene away, or puts it back."""
    points = st.session_state[chart]["selection"]["points"]
    if not points:
        return
    gene = genes[clicked_place(points[0])]
    gone = st.session_state.get(key, [])
    st.session_state[key] = [g for g in gone if g != gene] if gene in gone else [*gone, gene]
    st.session_state[_ROUNDS] = st.session_state.get(_ROUNDS, 0) + 1


def clicked_place(point: dict) -> int:
    """Of the tile that was clicked, counted from 0."""
    place = point["customdata"]
    return int(place[0] if isinstance(place, list | tuple) else place)


def _caption(view: View, row: int, n: int, total: int, factor: str, click: bool) -> str:
    """What is drawn."""
    label = view.result.explained(view.type)
    sentences = [
        f"{view.result.ids[row]}, {method_title(view.method)}, {view.way}: the {n} most expressed "
        f"of {total:,} genes, in falling order; equals in the order of the file.",
        f"Orange speaks for {label}, blue against; the score stands below each gene"
        + (f", {factor}." if factor else "."),
        f"{SIGN}: known marker." if view.entry is not None else "",
        "A click takes a gene away, or puts it back." if click else "",
    ]
    return " ".join(filter(None, sentences))
