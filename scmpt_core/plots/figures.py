"""Learning curves, and counts of cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from scmpt_core.fusion.fits import Epoch
from scmpt_core.plots.layout import escaped, laid_out, shortened
from scmpt_core.plots.palette import class_styles


def learning_curves(curves: Sequence[tuple[int, int, Sequence[Epoch]]], title: str) -> go.Figure:
    """Cross-entropy on training and validation cells by epoch; one thin line a run.

    Parameters
    ----------
    curves
        Seed, fold and history of each run.
    """
    figure = go.Figure()
    for i, (seed, fold, history) in enumerate(curves):
        for field, name, dash, colour in (
            ("train_loss", "training cells", "dot", "#0072B2"),
            ("validation_loss", "validation cells", "solid", "#D55E00"),
        ):
            figure.add_scatter(
                x=[p.epoch for p in history],
                y=[getattr(p, field) for p in history],
                name=name,
                legendgroup=name,
                showlegend=i == 0,
                line={"dash": dash, "color": colour, "width": 1.5},
                hovertemplate=f"{name}, seed {seed}, fold {fold}<br>epoch %{{x}}: %{{y:.3f}}"
                "<extra></extra>",
            )
    laid_out(figure, 360, "epoch", "cross-entropy (nats)")
    # the legend stands below the title, not on it
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0}
    return figure.update_layout(title=title, legend=legend, margin_t=70)


def histogram(
    values: np.ndarray, x: str, low: float | None = None, high: float | None = None
) -> go.Figure:
    """Cells by value; bars outside ``low`` … ``high`` (inclusive) are grey."""
    counts, edges = np.histogram(values, bins=min(60, max(10, int(np.sqrt(len(values))))))
    middle = (edges[1:] + edges[:-1]) / 2
    inside = (edges[1:] >= (-np.inf if low is None else low)) & (
        edges[:-1] <= (np.inf if high is None else high)
    )
    figure = go.Figure(
        go.Bar(
            x=middle,
            y=counts,
            width=np.diff(edges),
            marker={"color": np.where(inside, "#0072B2", "#9AA0A6").tolist()},
            hovertemplate="about %{x:.4g}: %{y:,} cells<extra></extra>",
        )
    )
    for limit in (low, high):
        if limit is not None and edges[0] <= limit <= edges[-1]:
            figure.add_vline(x=limit, line={"color": "#D55E00", "width": 2, "dash": "dash"})
    figure.update_layout(bargap=0)
    return laid_out(figure, 230, x, "cells")


def class_counts(counts: dict[str, int], palette: Sequence[str] | None = None) -> go.Figure:
    """Cells of each class, in the order given; colours by the order of ``palette``."""
    names = list(counts)
    styles = class_styles(list(palette or sorted(names)))
    figure = go.Figure(
        go.Bar(
            x=[counts[n] for n in names],
            y=list(range(len(names))),
            orientation="h",
            text=[f"{counts[n]:,}" for n in names],
            textposition="auto",
            textangle=0,
            marker={"color": [styles[n][0] if n in styles else "#9AA0A6" for n in names]},
            customdata=[escaped(n) for n in names],
            hovertemplate="%{customdata}: %{x:,} cells<extra></extra>",
        )
    )
    ticks = {"tickvals": list(range(len(names))), "ticktext": [shortened(n) for n in names]}
    figure.update_yaxes(autorange="reversed", **ticks)
    return laid_out(figure, 90 + 24 * len(names), "cells", "")
