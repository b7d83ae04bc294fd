"""Types against types, and models against types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from scmpt_core.plots.layout import escaped, laid_out, shortened

FEW_CLASSES = 15  # up to here each field of a confusion is written out
FEW_FIELDS = 150  # up to here each field of models × types is


def confusion(matrix: np.ndarray, classes: Sequence[str], title: str) -> go.Figure:
    """Share of each true class that went to each label; hover shows the counts.

    ``matrix`` and ``classes`` come in the order to be drawn.
    """
    drawn = np.where(matrix > 0, _shares(matrix), np.nan)  # nothing is drawn for nothing
    return _types(
        drawn, classes, title, [matrix], zmin=0, zmax=1, colorscale="Blues",
        texttemplate="%{z:.2f}" if len(classes) <= FEW_CLASSES else None,
        colorbar={"title": "share of<br>true class", "thickness": 12},
        hovertemplate="true %{customdata[0]}<br>predicted %{customdata[1]}<br>"
        "%{customdata[2]} cells<br>%{z:.1%}<extra></extra>",
    )  # fmt: skip


def confusion_difference(
    a: np.ndarray, b: np.ndarray, classes: Sequence[str], models: tuple[str, str]
) -> go.Figure:
    """How much larger a share of each true class the first model gives to each label, in points.

    Parameters
    ----------
    a, b
        Counts of the two models on the same cells, (classes, classes), truth in rows, in the
        order to be drawn.
    """
    points = 100 * (_shares(a) - _shares(b))
    limit = float(np.abs(points).max()) or 1.0
    first, second = (escaped(m) for m in models)
    return _types(
        np.where(a != b, points, np.nan), classes, f"{first} less {second}", [a, b],
        zmin=-limit, zmax=limit, colorscale="RdBu",
        texttemplate="%{z:+.0f}" if len(classes) <= FEW_CLASSES else None,
        colorbar={"title": "points of<br>true class", "thickness": 12},
        hovertemplate="true %{customdata[0]}<br>predicted %{customdata[1]}<br>"
        f"{first}: %{{customdata[2]}} cells<br>{second}: %{{customdata[3]}} cells<br>"
        "%{z:+.1f} points<extra></extra>",
    )  # fmt: skip


def _shares(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def _types(
    z: np.ndarray, classes: Sequence[str], title: str, counts: list[np.ndarray], **look: object
) -> go.Figure:
    """Types against types; hover data are both names, then the counts."""
    n = len(classes)
    names = np.array([escaped(name) for name in classes], dtype=object)
    sides = [np.repeat(names[:, None], n, 1), np.repeat(names[None], n, 0)]
    figure = go.Figure(go.Heatmap(z=z, customdata=np.stack([*sides, *counts], -1), **look))
    ticks = {
        "showgrid": False,
        "zeroline": False,
        "tickvals": list(range(n)),
        "ticktext": [shortened(name, 24) for name in classes],
    }
    figure.update_yaxes(autorange="reversed", **ticks)
    figure.update_xaxes(tickangle=-45, **ticks)
    figure.update_layout(title=title, dragmode=False)
    return laid_out(figure, 260 + 26 * n, "predicted type", "true type")


def class_scores(
    f1: np.ndarray, models: Sequence[str], classes: Sequence[str], cells: Sequence[int]
) -> go.Figure:
    """F1 of each class under each model.

    Parameters
    ----------
    f1
        (models, classes), 0…1; NaN where a class was never tested.
    cells
        Test cells of each class, written beside its name.
    """
    names = [escaped(name) for name in classes]
    hover = [[f"{escaped(m)}<br>{c}, {n:,} test cells" for c, n in zip(names, cells, strict=True)]
             for m in models]  # fmt: skip
    figure = go.Figure(
        go.Heatmap(
            z=f1, customdata=hover, zmin=0, zmax=1, colorscale="Blues",
            texttemplate="%{z:.2f}" if f1.size <= FEW_FIELDS else None,
            colorbar={"title": "F1", "thickness": 12},
            hovertemplate="%{customdata}<br>F1 %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    labels = [f"{shortened(c, 24)} ({n:,})" for c, n in zip(classes, cells, strict=True)]
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(models))),
        ticktext=[escaped(m) for m in models],
    )  # fmt: skip
    figure.update_xaxes(tickangle=-45, tickvals=list(range(len(names))), ticktext=labels)
    figure.update_layout(dragmode=False)
    return laid_out(figure, 240 + 28 * len(models), "type (test cells)", "model")
