"""Selected cells: drawn around on a map or chosen in a list, they stand out on every map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core import plots
from scmpt_core.data import PARTS
from scmpt_core.evaluation import StoredComparison, cells_tested
from scmpt_core.library import Item
from scmpt_core.ui.components import plain

MAX_LISTED = 1000
NO_CELLS = np.empty(0, dtype=np.int64)
_SELECTED, _OF, _DRAWN = "selected_cells", "selected_of", "drawn"


def selection(item: Item) -> np.ndarray | None:
    """Selected cells of this comparison."""
    if st.session_state.get(_OF) != item.id:
        select(item, NO_CELLS)
    found = st.session_state[_SELECTED]
    return found if len(found) else None


def select(item: Item, rows: np.ndarray) -> None:
    """Make ``rows`` the selected cells."""
    st.session_state[_OF], st.session_state[_SELECTED] = item.id, rows


def drawn(maps: dict[str, plots.CellMap], states: dict[str, Mapping]) -> None:
    """Note what is on the page, and what was drawn around on it by then."""
    st.session_state[_DRAWN] = {n: (maps[n], _outlines(states[n])) for n in maps}


def drawn_around() -> None:
    """The map whose outlines differ from what they were when it was drawn decides."""
    for name, (map, before) in st.session_state.get(_DRAWN, {}).items():
        outlines = _outlines(st.session_state.get(f"map_{name}"))
        if outlines != before:
            st.session_state[_SELECTED] = map.cells_in(*outlines)


def _outlines(state: Mapping | None) -> tuple[list[dict], list[dict]]:
    """Boxes and lassos of a selection."""
    if not state:
        return [], []
    shapes = ([{"x": list(s["x"]), "y": list(s["y"])} for s in state["selection"][kind]]
              for kind in ("box", "lasso"))  # fmt: skip
    return tuple(shapes)


def cell_table(result: StoredComparison, model: str, rows: np.ndarray) -> pd.DataFrame:
    """Cells with what is true and what the model says."""
    return pd.DataFrame(
        {
            "cell": result.ids[rows],
            "true type": result.names(result.truth[rows]),
            "prediction": result.names(result.predicted[model][rows]),
            "probability": result.probability[model][rows],
            "part": np.array([*PARTS, "left out"])[result.part[rows]],
        }
    )


def listed(item: Item, result: StoredComparison, model: str, rows: np.ndarray | None) -> None:
    """The selected cells as a table."""
    if rows is None:
        return
    table = cell_table(result, model, rows)
    st.markdown(f"**{len(rows):,} cells selected**.{_how_good(result, model, rows)}")
    left, right, _ = st.columns([1, 1, 3])
    left.download_button(
        "Download the list", lambda: table.to_csv(index=False), "selected_cells.csv", "text/csv",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    right.button("Clear selection", icon=":material/close:", on_click=select, args=(item, NO_CELLS))
    if len(rows) > MAX_LISTED:
        st.caption(f"The first {MAX_LISTED:,} are listed; the download holds all.")
    st.dataframe(table.head(MAX_LISTED), hide_index=True)


def _how_good(result: StoredComparison, model: str, rows: np.ndarray) -> str:
    known = rows[result.truth[rows] >= 0]
    if not len(known):
        return ""
    share = (result.truth[known] == result.predicted[model][known]).mean()
    text = f" {plain(model)} labels {share:.1%} of the {len(known):,} with a usable label right."
    trained = len(known) - np.isin(known, cells_tested(result)).sum()
    if trained:
        text += f" {trained:,} of them took part in training or its checks: no measure."
    return text
