"""One cell: its genes in reading order, shaded by their scores, with the values beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.away import away
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import UNIT, method_title
from scmpt_core.ui.components import plain, plot

STEP, MOST = 16, 256  # genes shown


def cell(view: View) -> None:
    """Choose a cell of the type; see its sentence."""
    result = view.result
    rows = result.cells_of(view.type, view.way, view.correct_only)
    if not len(rows):
        st.info(f"{plain(view.way)} named no explained cell of {plain(view.type)} right.")
        return
    names = [f"{result.ids[row]}: called {_called(view, row)}" for row in rows]
    left, right = st.columns(2)
    at = left.selectbox("Cell", range(len(rows)), format_func=names.__getitem__,
                        key=f"cell_{view.item.id}_{view.type}_{view.correct_only}")  # fmt: skip
    row = int(rows[at])
    table = cell_table(view, row)
    shown = right.slider("Genes shown", STEP, MOST, 4 * STEP, STEP, key="genes_shown")
    _figures(view, row)
    part = table.head(shown)
    plot(
        figures.sentence(
            part["gene"].tolist(),
            part["score"].to_numpy(float),
            part["marker"].fillna(False).to_numpy(bool),
        ),
        "sentence",
        f"{result.ids[row]}, {method_title(view.method)}, {view.way}: the {len(part)} most "
        f"expressed of {len(table):,} genes, in falling order; equals in the order of the file. "
        f"Orange speaks for {view.type}, blue against; the value stands below each gene"
        + (f"; {figures.SIGN}: known marker." if view.entry is not None else "."),
        wide=True,
    )
    strongest = table.dropna(subset="score").sort_values("score", ascending=False)["gene"].tolist()
    away(view, row, strongest)
    st.dataframe(
        table.dropna(axis=1, how="all"), hide_index=True, key="cell_table",
        alt="All expressed genes of the cell with expression and score.",
        column_config={
            "expression": st.column_config.NumberColumn(format="%.2f", help="Log-normalised."),
            "score": st.column_config.NumberColumn(format="%+.4f", help=UNIT),
        },
    )  # fmt: skip


def _called(view: View, row: int) -> str:
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
            quality = view.result.quality[source]
            seed = f" (seed {source.seed})" if source.seed else ""
            if "delta" in quality:
                st.metric(
                    f"Missing in the sum{seed}", f"{abs(quality['delta'][row]):.2%}",
                    width="content", help="Convergence delta: the share of the difference to the "
                    "baseline that the scores do not add up to. 0 is best.",
                )  # fmt: skip
            if "r2" in quality:
                st.metric(
                    f"R²{seed}", f"{quality['r2'][row]:.3f}", width="content",
                    help="How much of the changes the linear model explains; 1 is best.",
                )  # fmt: skip
