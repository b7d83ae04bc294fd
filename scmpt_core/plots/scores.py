"""The scores of a comparison's models and baselines."""

from __future__ import annotations

import plotly.graph_objects as go

from scmpt_core.plots.layout import escaped, laid_out
from scmpt_core.plots.palette import model_colour

APART = 0.8  # room between models and baselines, in rows
BESIDE = 0.17  # from a row's middle to each of its two scores
METRICS = (("macro_f1", "macro F1", "circle", -BESIDE),
           ("accuracy", "accuracy", "diamond-open", BESIDE))  # fmt: skip


def span(metric: dict) -> tuple[float, float, str] | None:
    """What is drawn around a mean: the interval, or else one standard deviation to each side."""
    if metric.get("interval") is not None:
        return metric["interval"]["low"], metric["interval"]["high"], "95 % interval"
    if metric["sd"] is not None:
        return metric["mean"] - metric["sd"], metric["mean"] + metric["sd"], "mean ± sd of splits"
    return None


def scores(rows: list[dict]) -> go.Figure:
    """Macro F1 and accuracy of each row, with :func:`span`; baselines stand apart below.

    Parameters
    ----------
    rows
        ``models`` of a comparison's JSON, in the order to be drawn, baselines last.
    """
    models = sum(row["kind"] == "model" for row in rows)
    places = [i + APART * (row["kind"] == "baseline") for i, row in enumerate(rows)]
    colours = [model_colour(row) for row in rows]
    figure = go.Figure()
    for metric, title, symbol, beside in METRICS:
        at = [place + beside for place in places]
        for row, y, colour in zip(rows, at, colours, strict=True):
            if (drawn := span(row[metric])) is not None:
                figure.add_scatter(
                    x=drawn[:2], y=[y, y], mode="lines", line={"color": colour, "width": 2},
                    opacity=0.65, showlegend=False, hoverinfo="skip",
                )  # fmt: skip
        figure.add_scatter(
            x=[row[metric]["mean"] for row in rows], y=at, mode="markers", name=title,
            marker={"symbol": symbol, "size": 11, "color": colours},
            customdata=[f"{escaped(row['name'])}<br>{title} {_hover(row[metric])}" for row in rows],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    ticks = {"tickvals": places, "ticktext": [escaped(row["name"]) for row in rows]}
    figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_yaxes(range=[places[-1] + 0.6, -0.6], zeroline=False, **ticks)
    if 0 < models < len(rows):
        figure.add_hline(
            y=models - 1 + (1 + APART) / 2, line={"color": "#9AA0A6", "width": 1, "dash": "dot"},
            annotation={"text": "baselines", "font": {"size": 11}},
            annotation_position="bottom left",
        )  # fmt: skip
    figure.update_layout(legend={"orientation": "h", "yanchor": "bottom", "y": 1.0})
    return laid_out(figure, 130 + 34 * len(rows), "score on test cells (0–1)", "model")


def _hover(metric: dict) -> str:
    drawn = span(metric)
    text = f"{metric['mean']:.3f}"
    return text if drawn is None else f"{text}<br>{drawn[2]}: {drawn[0]:.3f} to {drawn[1]:.3f}"
