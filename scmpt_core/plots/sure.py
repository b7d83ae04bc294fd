"""Whether probabilities mean what they say, and what a threshold on them costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scmpt_core.calibration import Bin
from scmpt_core.plots.layout import laid_out

BLUE, RED, GREY = "#0072B2", "#D55E00", "#9AA0A6"
SMALLEST, LARGER = 6, 10  # pixels of a bin's point: of few cells, and more for many
MOST_POINTS = 1000  # of a curve; more are thinned evenly
ACROSS = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0}


def reliability_diagram(bins: Sequence[Bin]) -> go.Figure:
    """Share labelled rightly against probability, with Wilson's intervals; cells a bin below."""
    most = max(b.n for b in bins)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.74, 0.26], vertical_spacing=0.06
    )
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="as it should be", hoverinfo="skip",
        line={"color": GREY, "dash": "dash", "width": 1}, row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=[b.confidence for b in bins], y=[b.accuracy for b in bins], mode="markers",
        name="test cells, with 95 % interval (larger: more cells)",
        marker={"color": BLUE, "size": [SMALLEST + LARGER * math.sqrt(b.n / most) for b in bins]},
        error_y={
            "type": "data", "array": [b.interval.high - b.accuracy for b in bins],
            "arrayminus": [b.accuracy - b.interval.low for b in bins], "thickness": 1.5,
        },
        customdata=[[b.n, b.interval.low, b.interval.high] for b in bins],
        hovertemplate="probability %{x:.2f} on average<br>%{y:.1%} right "
        "(%{customdata[1]:.1%} to %{customdata[2]:.1%})<br>%{customdata[0]:,} cells"
        "<extra></extra>",
        row=1, col=1,
    )  # fmt: skip
    figure.add_bar(
        x=[(b.low + b.high) / 2 for b in bins], y=[b.n for b in bins], showlegend=False,
        width=[b.high - b.low for b in bins], marker={"color": BLUE},
        customdata=[[b.low, b.high] for b in bins],
        hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:,} cells<extra></extra>",
        row=2, col=1,
    )  # fmt: skip
    figure.update_layout(legend=ACROSS, bargap=0, dragmode=False)
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.04, 1.04], title_text="share labelled right", row=1, col=1)
    figure.update_yaxes(title_text="cells", row=2, col=1)
    laid_out(figure, 460, "", "share labelled right")
    figure.update_xaxes(title_text="probability of the label given", row=2, col=1)
    return figure


def threshold_curve(thresholds: np.ndarray, kept: np.ndarray, error: np.ndarray) -> go.Figure:
    """Share of cells that keep their label, and share of wrong ones among them, by threshold.

    Parameters
    ----------
    thresholds, kept, error
        As :func:`scmpt_core.calibration.risk_curve` gives them, falling thresholds first.
    """
    few = np.unique(np.linspace(0, len(thresholds) - 1, MOST_POINTS).round().astype(int))
    x = [*thresholds[few], 0]  # below the least sure cell nothing changes
    figure = go.Figure()
    for values, name, colour, dash in (
        (kept, "cells that keep a label", BLUE, "solid"),
        (error, "wrong labels among these", RED, "dot"),
    ):
        figure.add_scatter(
            # between two cells' probabilities a threshold does what the higher one does
            x=x, y=100 * values[[*few, -1]], mode="lines", name=name,
            line={"color": colour, "dash": dash, "width": 2, "shape": "hv"},
            hovertemplate=f"%{{y:.1f}} % {name}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(legend=ACROSS, hovermode="x unified")
    figure.update_xaxes(range=[0, 1.02])
    figure.update_yaxes(range=[-2, 104])
    return laid_out(figure, 460, "threshold on the probability", "share (%)")
