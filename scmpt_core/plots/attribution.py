"""Scores of genes: the top ones, types side by side, agreement, markers against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from scmpt_core.plots.labels import ACROSS, BLUE, GREY, RED
from scmpt_core.plots.layout import escaped, laid_out, shortened

MARKER, OTHER = "known marker", "not listed"
SIGN = "◆"  # stands before a marker's name, so that it shows without its colour
# blue against, orange for: colour-blind readers tell them apart; black text reads on every shade
DIVERGING = [[0, "#5AAEE0"], [0.5, "#E8E8E8"], [1, "#F08A4B"]]
INK = "#111111"
BAR = 0.8  # of the room that a gene has
LINES = ("solid", "dash", "dot", "dashdot")
FEW_SOURCES = 14  # up to here each field of an agreement is written out


def top_genes(
    genes: Sequence[str],
    mean: np.ndarray,
    spread: np.ndarray | None,
    markers: np.ndarray | None,
    unit: str,
) -> go.Figure:
    """A bar a gene, in the order given; markers differ in colour, pattern and sign.

    The bars of both traces have one fixed width: plotly would make those of a trace as wide as its
    own gaps allow, so that a lone marker covers its neighbours.

    Parameters
    ----------
    mean, spread
        (genes,); the spread is drawn to both sides, ``None``: no error bars.
    markers
        Whether each gene is a marker of the type, (genes,) bool; ``None``: not known.
    unit
        Of the scores, for the axis.
    """
    n = len(genes)
    groups = [("", np.ones(n, bool), BLUE, "")]
    if markers is not None:
        groups = [(MARKER, markers, RED, "/"), (OTHER, ~markers, BLUE, "")]
    figure = go.Figure()
    for name, mine, colour, pattern in groups:
        rows = np.flatnonzero(mine)
        if not len(rows):
            continue
        figure.add_bar(
            x=mean[rows], y=rows, orientation="h", width=BAR, name=name, showlegend=bool(name),
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "bgcolor": colour, "fgcolor": "#FFFFFF",
                            "solidity": 0.2},
            },
            customdata=[f"{escaped(str(genes[i]))}{', ' + name if name else ''}" for i in rows],
            hovertemplate="%{customdata}<br>%{x:.4g}<extra></extra>",
        )  # fmt: skip
    if spread is not None:
        _spread(figure, mean, spread)
    known = np.zeros(n, bool) if markers is None else markers
    words = [f"{SIGN} {shortened(str(g))}" if m else shortened(str(g))
             for g, m in zip(genes, known, strict=True)]  # fmt: skip
    figure.update_yaxes(range=[n - 0.5, -0.5], tickvals=list(range(n)), ticktext=words)
    figure.update_layout(legend=ACROSS, barmode="overlay")
    return _close(laid_out(figure, 130 + 24 * n, unit, ""), markers is None)


def _spread(figure: go.Figure, mean: np.ndarray, spread: np.ndarray) -> None:
    """From mean − spread to mean + spread; dark in a white edge, which shows on bars and pages."""
    x = np.column_stack([mean - spread, mean + spread, np.full(len(mean), np.nan)])
    y = np.repeat(np.arange(len(mean)), 3)
    for colour, width in (("#FFFFFF", 4), (INK, 1.5)):
        figure.add_scatter(
            x=x.ravel(), y=y, mode="lines", line={"color": colour, "width": width},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip


def _close(figure: go.Figure, bare: bool) -> go.Figure:
    """Where no legend stands above the chart, only plotly's buttons need room there."""
    if bare:
        figure.update_layout(height=figure.layout.height - 12, margin_t=28)
    return figure


def gene_types(
    scores: np.ndarray, genes: Sequence[str], types: Sequence[str], cells: Sequence[int]
) -> go.Figure:
    """Genes against types, each type in shares of its strongest score.

    Parameters
    ----------
    scores
        (types, genes); NaN where the model could not have read the gene.
    cells
        Cells of each type, written beside its name.
    """
    strongest = np.nanmax(np.abs(np.where(np.isnan(scores), 0, scores)), axis=1, keepdims=True)
    shares = scores / np.where(strongest > 0, strongest, 1)
    figure = go.Figure(
        go.Heatmap(
            z=shares.T, customdata=_pairs(genes, types, scores.T), zmin=-1, zmax=1,
            colorscale=DIVERGING, xgap=1, ygap=1,
            colorbar={"title": "share of<br>the type's<br>strongest", "thickness": 12},
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>score %{customdata[2]:.4g}"
            "<br>%{z:.0%} of the strongest<extra></extra>",
        )
    )  # fmt: skip
    words = [f"{shortened(t, 24)} ({n:,})" for t, n in zip(types, cells, strict=True)]
    figure.update_xaxes(
        tickvals=list(range(len(types))), ticktext=words, tickangle=-45, showgrid=False
    )
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(genes))), showgrid=False,
        ticktext=[shortened(str(g)) for g in genes],
    )  # fmt: skip
    figure.update_layout(dragmode=False)
    return _close(laid_out(figure, 220 + 18 * len(genes), "type (cells)", ""), bare=True)


def _pairs(rows: Sequence[str], columns: Sequence[str], values: np.ndarray) -> np.ndarray:
    """Both names and the value of each field, (rows, columns, 3)."""
    first = np.array([escaped(str(r)) for r in rows], dtype=object)[:, None]
    second = np.array([escaped(str(c)) for c in columns], dtype=object)[None]
    return np.stack([*np.broadcast_arrays(first, second), values.astype(object)], -1)


def agreement(matrix: np.ndarray, names: Sequence[str], title: str) -> go.Figure:
    """How alike each two rankings are, (sources, sources), 0…1; NaN is left blank."""
    n = len(names)
    figure = go.Figure(
        go.Heatmap(
            z=matrix, customdata=_pairs(names, names, matrix), zmin=0, zmax=1, colorscale="Blues",
            texttemplate="%{z:.2f}" if n <= FEW_SOURCES else None, xgap=1, ygap=1,
            colorbar={"thickness": 12},
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    ticks = {"tickvals": list(range(n)), "ticktext": [shortened(name) for name in names]}
    figure.update_xaxes(tickangle=-45, showgrid=False, **ticks)
    figure.update_yaxes(autorange="reversed", showgrid=False, **ticks)
    figure.update_layout(title=title, dragmode=False)
    return laid_out(figure, 230 + 30 * n, "", "")


def null_overlap(counts: Sequence[int], observed: int, mean: float) -> go.Figure:
    """Drawn sets by their overlap with the markers, and the overlap of the model's genes.

    Parameters
    ----------
    counts
        Draws with an overlap of 0, 1, …
    observed, mean
        Overlap of the top genes, and the expected one of a drawn set.
    """
    shares = np.asarray(counts) / np.sum(counts)
    figure = go.Figure(
        go.Bar(
            x=list(range(len(shares))), y=shares, customdata=list(counts), showlegend=False,
            marker={"color": GREY},
            hovertemplate="overlap %{x}: %{customdata:,} draws (%{y:.2%})<extra></extra>",
        )
    )  # fmt: skip
    # named in the legend: words beside a line would stand on a bar or on the axis
    for name, x, colour, width, dash in (
        (f"observed {observed}", observed, RED, 3, "solid"),
        (f"expected by chance {mean:.2f}", mean, BLUE, 3, "dash"),
    ):
        figure.add_scatter(
            x=[x, x], y=[0, 1.05 * shares.max()], mode="lines", name=name,
            line={"color": colour, "width": width, "dash": dash},
            hovertemplate=f"{name}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(dtick=1, range=[-0.6, max(len(shares), observed + 1) - 0.4])
    figure.update_yaxes(tickformat=".0%")
    figure.update_layout(bargap=0.15, legend=ACROSS)
    return laid_out(figure, 300, "markers in a drawn set", "draws")


def precision(
    curves: Mapping[str, np.ndarray], yardsticks: Mapping[str, np.ndarray], ks: Sequence[int]
) -> go.Figure:
    """Share of markers among the top k, for every k; yardsticks are thin, with open signs.

    Parameters
    ----------
    curves, yardsticks
        Name → (ks,), 0…1; NaN where the curve has ended.
    """
    figure = go.Figure()
    colours = (RED, BLUE, "#009E73", "#CC79A7")
    lines = [
        *((n, v, colours[i % 4], 2.5, "circle", LINES[i % 4])
          for i, (n, v) in enumerate(curves.items())),
        *((n, v, GREY, 1.5, s, d) for (n, v), s, d in zip(
            yardsticks.items(), ("square-open", "diamond-open"), ("dash", "dot"), strict=False)),
    ]  # fmt: skip
    for name, values, colour, width, symbol, dash in lines:
        figure.add_scatter(
            x=list(ks), y=values, mode="lines+markers", name=escaped(name),
            line={"color": colour, "width": width, "dash": dash},
            marker={"symbol": symbol, "size": 6},
            hovertemplate=f"{escaped(name)}<br>top %{{x}}: %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
    figure.update_layout(legend=ACROSS, showlegend=True)
    return laid_out(figure, 340, "k, the number of top genes", "markers among them")
