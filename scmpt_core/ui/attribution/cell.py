"""One cell: its genes in reading order, shaded by their scores, with the values beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.attribution import Source
from scmpt_core.ui.attribution.pick import View, held
from scmpt_core.ui.attribution.read import read_cell
from scmpt_core.ui.components import plain

STEP, MOST = 16, 256  # genes shown


def cell(view: View) -> None:
    """Choose a cell of the type; see its sentence."""
    result = view.result
    rows = result.cells_of(view.type, view.way, view.correct_only)
    if not len(rows):
        st.info(f"{plain(view.way)} named no explained cell of {plain(view.type)} right.")
        return
    at = {str(result.ids[row]): int(row) for row in rows}
    left, right = st.columns(2)
    chosen = left.selectbox(
        "Cell", list(at), format_func=lambda id: f"{id}: called {called(view, at[id])}",
        key=held("cell", list(at)), bind="query-params",
    )  # fmt: skip
    row = at[chosen]
    if reason := str(result.reasons[row]):
        st.caption(plain(f"The whole model would call it Unknown, by the usual rule: {reason}."))
    table = cell_table(view, row)
    shown = right.slider("Genes shown", STEP, MOST, 4 * STEP, STEP, key="genes_shown")
    _figures(view, row)
    read_cell(view, row, table, shown)
    st.dataframe(
        table.dropna(axis=1, how="all"), hide_index=True, key="cell_table",
        alt="All expressed genes of the cell with expression and score.",
        column_config={
            "expression": st.column_config.NumberColumn(format="%.2f", help="Log-normalised."),
            "score": st.column_config.NumberColumn(format="%.3g", help=view.unit),
        },
    )  # fmt: skip


def called(view: View, row: int) -> str:
    """What the way says the cell is."""
    return view.result.classes[view.result.predicted[view.way][row]]


def cell_table(view: View, row: int) -> pd.DataFrame:
    """A cell's expressed genes by falling expression; the score is NaN where it was not read."""
    result = view.result
    expression = result.expression[row].toarray().ravel()
    order = np.argsort(-expression, kind="stable")
    order = order[expression[order] > 0]
    seen = result.seen[view.way][row].toarray().ravel() > 0
    scores = result.of_cells(view.method, view.way, np.array([row]))[0]
    markers = view.markers
    return pd.DataFrame(
        {
            "place": np.arange(1, len(order) + 1),
            "gene": result.genes[order],
            "expression": expression[order],
            "score": np.where(seen, scores, np.nan)[order],
            "read": seen[order],
            "marker": pd.array(
                [pd.NA] * len(order) if markers is None else markers[order], "boolean"
            ),  # NA: what the type is in the database is not confirmed
        }
    )


def _figures(view: View, row: int) -> None:
    """How good the cell's own scores are, of each seed."""
    with st.container(horizontal=True, gap="large"):
        for source in view.result.sources(view.method, view.way):
            for title, value, about in _shown(view, source, row):
                seed = f" (seed {source.seed})" if source.seed else ""
                st.metric(f"{title}{seed}", value, width="content", help=about)


def _shown(view: View, source: Source, row: int) -> list[tuple[str, str, str]]:
    """Title, value and help of each figure."""
    quality = {name: float(values[row]) for name, values in view.result.quality[source].items()}
    out = []
    if "delta" in quality:
        out.append(("Missing in the sum", f"{abs(quality['delta']):.2%}",
                    "Convergence delta: the share of the difference to the baseline that the "
                    "scores do not add up to. 0 is best."))  # fmt: skip
    if "r2_left_out" in quality:
        out.append(("R², left out", f"{quality['r2_left_out']:.2f}",
                    "How well the linear model foresees perturbed cells that it was not fitted to; "
                    "1 is best, and at 0 or below the scores say nothing."))  # fmt: skip
    elif "r2" in quality:
        out.append(("R², fitted", f"{quality['r2']:.2f}",
                    "On the perturbed cells that the linear model was fitted to, which flatters: "
                    "with as many genes as cells it nears 1 for chance alone."))  # fmt: skip
    if "halves" in quality:
        out.append(("Two halves agree", f"{quality['halves']:.2f}",
                    "Correlation of the scores that two halves of the perturbed cells give; 1 is "
                    "best."))  # fmt: skip
    return out
