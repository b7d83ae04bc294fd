"""What became of cells under a trial: named rightly, called Unknown, named wrongly."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from scmpt_core.plots.layout import laid_out, shortened

# Blue, grey and vermilion differ in lightness too, for those who see no hue.
PARTS = {"right label": "#0072B2", "Unknown": "#A3A3A3", "wrong label": "#D55E00"}


def outcomes(trials: Sequence[dict], names: Sequence[str], y: str) -> go.Figure:
    """A bar a trial, in three parts that add up to all its cells.

    Parameters
    ----------
    trials
        ``outcome`` of each trial of a robustness card's JSON, from the top.
    names
        What each bar is called.
    y
        What the bars are.
    """
    unknown = [100 * sum(trial["unknown"].values()) for trial in trials]
    wrong = [100 * trial["wrong"] for trial in trials]
    right = [100 - u - w for u, w in zip(unknown, wrong, strict=True)]
    counts = [trial["n"] for trial in trials]
    figure = go.Figure()
    for (part, colour), share in zip(PARTS.items(), (right, unknown, wrong), strict=True):
        figure.add_bar(
            x=share, y=list(range(len(trials))), orientation="h", name=part,
            marker={"color": colour}, customdata=list(zip(names, counts, strict=True)),
            hovertemplate="%{customdata[0]}: %{x:.1f} % of %{customdata[1]:,} cells, "
            + part + "<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        barmode="stack", showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "traceorder": "normal"},
    )  # fmt: skip
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(trials))),
        ticktext=[shortened(name) for name in names],
    )  # fmt: skip
    return laid_out(figure, 130 + 28 * len(trials), "share of the cells (%)", y)
