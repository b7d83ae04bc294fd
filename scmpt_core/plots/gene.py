"""One gene: where on the map it is expressed, and by which types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scmpt_core.plots.cells import GREY, CellMap, value_map
from scmpt_core.plots.layout import escaped, laid_out, shortened
from scmpt_core.plots.palette import class_styles

# its ends stand out from a white page and from a dark one by 3 to 1 at least, and it darkens
# evenly, so that it reads without colour too
EXPRESSED = [[0, "#2E9BD6"], [0.5, "#A34FB8"], [1, "#C01758"]]
UNIT = "log expr."
WHISKERS = (5, 95)  # percentiles


def expression_map(
    points: np.ndarray,
    values: np.ndarray,
    title: str,
    rows: np.ndarray | None = None,
    selected: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    height: int = 420,
) -> CellMap:
    """Cells coloured by log-normalised expression, (cells,); those without any are grey."""
    return value_map(
        points, values, title, UNIT, rows, selected, None, ids, height, EXPRESSED, grey_zeros=True
    )


def expressed_words(values: np.ndarray) -> str:
    """How many of the cells express the gene."""
    some, n = int(np.count_nonzero(values)), len(values)
    return f"{some:,} of {n:,} cells express it ({some / max(n, 1):.1%}); grey: the others."


@dataclass(frozen=True)
class TypeExpression:
    """A gene in the cells of one type, log-normalised.

    Parameters
    ----------
    cells
        How many.
    share
        Of them with any expression, 0…1.
    percentiles
        5th, 25th, 50th, 75th and 95th over all of them, zeros included.
    """

    type: str
    cells: int
    share: float
    mean: float
    percentiles: tuple[float, float, float, float, float]


def by_type(values: np.ndarray, types: np.ndarray) -> list[TypeExpression]:
    """The highest mean first.

    Parameters
    ----------
    values
        Expression, (cells,).
    types
        Name of each cell's type, (cells,); cells of ``""`` are left out.
    """
    found = []
    for name in np.unique(types[types != ""]):
        mine = values[types == name]
        shape = np.percentile(mine, [WHISKERS[0], 25, 50, 75, WHISKERS[1]])
        found.append(
            TypeExpression(
                str(name), len(mine), float((mine > 0).mean()), float(mine.mean()),
                tuple(shape.tolist()),
            )
        )  # fmt: skip
    return sorted(found, key=lambda row: -row.mean)


def expression_by_type(rows: Sequence[TypeExpression], palette: Sequence[str]) -> go.Figure:
    """A box a type (quartiles, whiskers, dashed mean), and beside it the share that expresses.

    Parameters
    ----------
    palette
        All names in the order of colours.
    """
    figure = make_subplots(
        rows=1, cols=2, shared_yaxes=True, column_widths=[0.68, 0.32], horizontal_spacing=0.04
    )
    styles = class_styles(palette)
    for i, row in enumerate(rows):
        colour, name = styles.get(row.type, (GREY, ""))[0], escaped(row.type)
        low, first, middle, third, high = ([value] for value in row.percentiles)
        figure.add_box(
            q1=first, median=middle, q3=third, lowerfence=low, upperfence=high, mean=[row.mean],
            y=[i], orientation="h", boxmean=True, width=0.7, name=name, showlegend=False,
            line={"color": colour, "width": 2}, row=1, col=1,
        )  # fmt: skip
        figure.add_bar(
            x=[100 * row.share], y=[i], orientation="h", width=0.7, showlegend=False,
            marker={"color": colour}, text=f"{row.share:.0%}", textposition="auto", textangle=0,
            cliponaxis=False,
            hovertemplate=f"{name}: {row.share:.1%} of {row.cells:,} cells<extra></extra>",
            row=1, col=2,
        )  # fmt: skip
    ticks = [f"{shortened(row.type, 22)} ({row.cells:,})" for row in rows]
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=ticks, zeroline=False,
                        range=[len(rows) - 0.5, -0.5])  # fmt: skip
    laid_out(figure, 120 + 26 * len(rows), UNIT, "")
    figure.update_xaxes(title_text="cells (%)", range=[0, 102], row=1, col=2)
    return figure.update_xaxes(rangemode="tozero", row=1, col=1)
