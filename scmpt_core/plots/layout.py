"""What the figures share."""

from __future__ import annotations

import plotly.graph_objects as go


def laid_out(figure: go.Figure, height: int, x: str, y: str) -> go.Figure:
    """Height in pixels, axis titles, margins that leave room for labels."""
    figure.update_layout(
        height=height, margin={"l": 10, "r": 10, "t": 40, "b": 10}, xaxis_title=x, yaxis_title=y
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def escaped(name: str) -> str:
    """Plotly reads a few HTML tags in texts; names come from files and are text."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(name: str, length: int = 28) -> str:
    """A name that fits an axis, escaped; the whole stands in the hover text."""
    return escaped(name if len(name) <= length else name[: length - 1] + "…")
