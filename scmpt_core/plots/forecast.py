"""Which row of a comparison is forecast to win."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scmpt_core.plots.layout import escaped, laid_out
from scmpt_core.plots.palette import model_colour

GREY = "#9AA0A6"


def forecast(rows: list[dict]) -> go.Figure:
    """Probability to come out best; below it, how far each row is from the one named first.

    Parameters
    ----------
    rows
        ``rows`` of a forecast's JSON, the one named first in front; where its probe has no scale
        of macro F1, there are probabilities alone.
    """
    scaled = all(row["behind"] is not None for row in rows)
    figure = make_subplots(rows=2 if scaled else 1, cols=1, vertical_spacing=0.26)
    names = [escaped(row["name"]) for row in rows]
    colours = [model_colour(row) for row in rows]
    figure.add_bar(
        x=[100 * row["best"] for row in rows], y=names, orientation="h",
        marker={"color": colours}, texttemplate="%{x:.0f} %", textposition="auto",
        hovertemplate="%{y}: %{x:.1f} % to come out best<extra></extra>", row=1, col=1,
    )  # fmt: skip
    if scaled:
        _distances(figure, rows, names, colours)
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(showlegend=False)
    laid_out(figure, (110 + 30 * len(rows)) * (2 if scaled else 1), "", "")
    figure.update_xaxes(title_text="chance to be best (%)", range=[0, 101], row=1, col=1)
    figure.update_yaxes(title_text="model")
    return figure


def _distances(figure: go.Figure, rows: list[dict], names: list[str], colours: list[str]) -> None:
    """Points of macro F1 against the row named first, with their intervals."""
    behind = [100 * row["behind"] for row in rows]
    low, high = ([100 * row["interval"][end] for row in rows] for end in ("low", "high"))
    for name, x, a, b, colour in zip(names, behind, low, high, colours, strict=True):
        figure.add_scatter(
            x=[x], y=[name], mode="markers", marker={"color": colour, "size": 10},
            error_x={"type": "data", "array": [b - x], "arrayminus": [x - a], "color": colour},
            customdata=[[a, b]],
            hovertemplate="%{y}: %{x:+.1f} points (%{customdata[0]:+.1f} to "
            "%{customdata[1]:+.1f})<extra></extra>",
            row=2, col=1,
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "dash": "dash", "width": 1}, row=2, col=1)
    figure.update_xaxes(title_text="points of macro F1", zeroline=False, row=2, col=1)
