"""How sure labels are: what a threshold costs, probabilities, label sets, genes that mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from scmpt_core.calibration import risk_curve
from scmpt_core.plots.layout import escaped, laid_out
from scmpt_core.plots.palette import class_styles

BLUE, RED, GREY = "#0072B2", "#D55E00", "#9AA0A6"
BINS = 40
ACROSS = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0}


def risk(confidence: np.ndarray, right: np.ndarray, threshold: float, error: float) -> go.Figure:
    """Wrong labels against cells kept, for every threshold; the chosen one is marked.

    Parameters
    ----------
    confidence, right
        Of the calibration cells: probability, and whether the label is right, (cells,).
    threshold
        The chosen one.
    error
        Highest share of wrong labels asked for, 0…1.
    """
    thresholds, kept, wrong = risk_curve(confidence, right)
    figure = go.Figure()
    figure.add_scatter(
        x=100 * kept, y=100 * wrong, mode="lines", name="every threshold", customdata=thresholds,
        line={"color": BLUE, "shape": "hv"},
        hovertemplate="threshold %{customdata:.3f}<br>%{x:.1f} % kept<br>%{y:.2f} % wrong"
        "<extra></extra>",
    )  # fmt: skip
    chosen = np.flatnonzero(thresholds >= threshold)[-1:]
    figure.add_scatter(
        x=100 * kept[chosen], y=100 * wrong[chosen], mode="markers", name="chosen",
        customdata=thresholds[chosen], marker={"color": RED, "size": 12},
        hovertemplate="chosen: threshold %{customdata:.3f}<br>%{x:.1f} % kept<br>%{y:.2f} % wrong"
        "<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=100 * error, line={"color": RED, "dash": "dash", "width": 1})
    figure.update_layout(legend=ACROSS)
    figure.update_xaxes(range=[0, 102])
    figure.update_yaxes(rangemode="tozero")
    return laid_out(figure, 320, "calibration cells that keep a label (%)", "wrong among them (%)")


def probabilities(
    probability: np.ndarray, outcomes: np.ndarray, names: Sequence[str], threshold: float
) -> go.Figure:
    """Cells by the probability of their most probable type, stacked by what became of them.

    Parameters
    ----------
    probability
        (cells,); those without one (NaN) are left out.
    outcomes
        Position in ``names``, (cells,).
    names
        All that can become of a cell, in the order of their colours.
    threshold
        Drawn as a line.
    """
    edges = np.linspace(0, 1, BINS + 1)
    middle, figure = (edges[1:] + edges[:-1]) / 2, go.Figure()
    styles = class_styles(names)
    for i, name in enumerate(names):
        mine = probability[(outcomes == i) & np.isfinite(probability)]
        if len(mine):
            figure.add_bar(
                x=middle, y=np.histogram(mine, edges)[0], width=1 / BINS, name=escaped(name),
                marker={"color": styles[name][0]},
                hovertemplate=f"about %{{x:.2f}}: %{{y:,}} cells<br>{escaped(name)}<extra></extra>",
            )  # fmt: skip
    figure.add_vline(x=threshold, line={"color": RED, "dash": "dash", "width": 2})
    figure.update_layout(barmode="stack", bargap=0, legend=ACROSS, showlegend=True)
    figure.update_xaxes(range=[0, 1])
    return laid_out(figure, 320, "calibrated probability of the most probable type", "cells")


def set_sizes(sizes: Mapping[int, int]) -> go.Figure:
    """Cells by the number of labels in their set."""
    names, cells = [str(size) for size in sizes], list(sizes.values())
    figure = go.Figure(
        go.Bar(
            x=names, y=cells, text=[f"{n:,}" for n in cells], textposition="auto",
            textangle=0,
            marker={"color": [BLUE if size == 1 else GREY for size in sizes]},
            hovertemplate="%{x} labels: %{y:,} cells<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(type="category")
    return laid_out(figure, 300, "labels in a cell's set", "cells")


def marker_shares(genes: Sequence[dict], group: str) -> go.Figure:
    """Of each gene the share of cells that express it, in the group and outside.

    Parameters
    ----------
    genes
        JSON of :class:`~scmpt_core.data.ranked.GeneRow`.
    """
    names = [escaped(g["symbol"]) for g in genes]
    inside, outside = ([100 * g[f"share_{w}"] for g in genes] for w in ("inside", "outside"))
    figure = go.Figure()
    for name, a, b in zip(names, inside, outside, strict=True):
        figure.add_scatter(
            x=[b, a], y=[name, name], mode="lines", line={"color": GREY, "width": 2},
            showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    for where, values, colour in ((group, inside, BLUE), ("all other cells", outside, RED)):
        figure.add_scatter(
            x=values, y=names, mode="markers", name=escaped(where),
            marker={"color": colour, "size": 11, "symbol": "circle" if colour == BLUE else "x"},
            hovertemplate="%{y}: %{x:.1f} % of the cells<extra></extra>",
        )  # fmt: skip
    figure.update_layout(legend=ACROSS)
    figure.update_xaxes(range=[-2, 102])
    figure.update_yaxes(autorange="reversed", type="category")
    return laid_out(figure, 110 + 28 * len(names), "cells that express the gene (%)", "")
