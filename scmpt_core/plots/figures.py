"""The figures of the comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from scmpt_core.fusion.training import Epoch
from scmpt_core.plots.palette import class_styles, model_colour

MAX_POINTS = 50_000


def _laid_out(figure: go.Figure, height: int, x: str, y: str) -> go.Figure:
    figure.update_layout(
        height=height, margin={"l": 10, "r": 10, "t": 40, "b": 10}, xaxis_title=x, yaxis_title=y
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def scores(rows: list[dict]) -> go.Figure:
    """Macro F1 and accuracy a model, mean with standard deviation over runs."""
    names = [row["name"] for row in rows]
    figure = go.Figure()
    for metric, title, symbol in (
        ("macro_f1", "macro F1", "circle"),
        ("accuracy", "accuracy", "diamond-open"),
    ):
        figure.add_scatter(
            x=[row[metric]["mean"] for row in rows],
            y=names,
            error_x={"type": "data", "array": [row[metric]["sd"] for row in rows]},
            mode="markers",
            name=title,
            marker={
                "symbol": symbol,
                "size": 12,
                "color": [model_colour(name, names) for name in names],
            },
        )
    figure.update_xaxes(range=[0, 1.02])
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(legend={"orientation": "h", "y": 1.12})
    return _laid_out(figure, 110 + 42 * len(rows), "score on test cells (0–1)", "")


def confusion(matrix: np.ndarray, classes: Sequence[str], title: str) -> go.Figure:
    """Share of each true class that went to each label; hover shows the counts."""
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    share = matrix / totals
    short = [name if len(name) <= 28 else name[:27] + "…" for name in classes]
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=short,
            y=short,
            customdata=matrix,
            zmin=0,
            zmax=1,
            colorscale="Blues",
            texttemplate="%{z:.2f}" if len(classes) <= 15 else None,
            colorbar={"title": "share of<br>true class", "thickness": 12},
            hovertemplate="true %{y}<br>predicted %{x}<br>%{customdata} cells<br>%{z:.1%}"
            "<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickangle=-45)
    figure.update_layout(title=title)
    return _laid_out(figure, 260 + 26 * len(classes), "predicted type", "true type")


def scatter(
    points: np.ndarray, values: np.ndarray, classes: Sequence[str], title: str
) -> go.Figure:
    """A map of cells, (cells, 2), coloured by class; above 50,000 cells a stated sample."""
    if len(points) > MAX_POINTS:
        rows = np.random.default_rng(0).choice(len(points), MAX_POINTS, replace=False)
        points, values = points[rows], values[rows]
        title += f" (a sample of {MAX_POINTS:,} cells)"
    figure = go.Figure()
    for name, (colour, marker) in class_styles(classes).items():
        chosen = values == name
        if not chosen.any():
            continue
        figure.add_scattergl(
            x=points[chosen, 0],
            y=points[chosen, 1],
            mode="markers",
            name=f"{name} ({int(chosen.sum()):,})",
            marker={"color": colour, "symbol": marker, "size": 5},
            hoverinfo="name",
        )
    figure.update_layout(title=title, legend={"orientation": "h", "y": -0.15, "font": {"size": 11}})
    figure.update_xaxes(showticklabels=False)
    figure.update_yaxes(showticklabels=False)
    return _laid_out(figure, 460 + 12 * len(classes), "UMAP 1", "UMAP 2")


def learning_curves(history: Sequence[Epoch], title: str) -> go.Figure:
    """Cross-entropy on training and validation cells by epoch."""
    epochs = [point.epoch for point in history]
    figure = go.Figure()
    for field, name, dash in (
        ("train_loss", "training cells", "dot"),
        ("validation_loss", "validation cells", "solid"),
    ):
        figure.add_scatter(
            x=epochs, y=[getattr(p, field) for p in history], name=name, line={"dash": dash}
        )
    figure.update_layout(title=title, legend={"orientation": "h", "y": 1.12})
    return _laid_out(figure, 340, "epoch", "cross-entropy (nats)")
