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
            x=mean[rows], y=rows, orientation="h", name=name, showlegend=bool(name),
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "bgcolor": colour, "fgcolor": "#FFFFFF",
                            "solidity": 0.2},
            },
            error_x=None if spread is None else
            {"type": "data", "array": spread[rows], "color": GREY, "thickness": 1.5},
            customdata=[f"{escaped(str(genes[i]))}{', ' + name if name else ''}" for i in rows],
            hovertemplate="%{customdata}<br>%{x:.4g}<extra></extra>",
        )  # fmt: skip
    known = np.zeros(n, bool) if markers is None else markers
    words = [f"{SIGN} {shortened(str(g))}" if m else shortened(str(g))
             for g, m in zip(genes, known, strict=True)]  # fmt: skip
    figure.update_yaxes(autorange="reversed", tickvals=list(range(n)), ticktext=words)
    figure.update_layout(legend=ACROSS, barmode="overlay")
    return laid_out(figure, 130 + 24 * n, unit, "")


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
    return laid_out(figure, 220 + 18 * len(genes), "type (cells)", "")


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
    draws = np.asarray(counts)
    figure = go.Figure(
        go.Bar(
            x=list(range(len(draws))), y=draws / draws.sum(), customdata=draws,
            marker={"color": GREY},
            hovertemplate="overlap %{x}: %{customdata:,} draws (%{y:.2%})<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(
        x=observed, line={"color": RED, "width": 3},
        annotation={"text": f"observed {observed}", "font": {"color": RED}},
        annotation_position="top left" if observed < mean else "top right",
    )  # fmt: skip
    figure.add_vline(
        x=mean, line={"color": BLUE, "width": 2, "dash": "dash"},
        annotation={"text": f"expected {mean:.2f}", "font": {"color": BLUE}},
        annotation_position="top right" if observed < mean else "top left",
    )  # fmt: skip
    figure.update_xaxes(dtick=1, range=[-0.6, len(draws) - 0.4])
    figure.update_yaxes(tickformat=".0%")
    figure.update_layout(bargap=0.15)
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


def sentence(
    genes: Sequence[str], scores: np.ndarray, markers: np.ndarray, across: int = 8
) -> go.Figure:
    """A cell's genes in reading order, each shaded by its score, which stands below its name.

    Parameters
    ----------
    scores
        (genes,); NaN where the model did not read the gene.
    markers
        Whether it is a marker of the type, (genes,) bool.
    across
        Genes in a line.
    """
    n, lines = len(genes), -(-len(genes) // across)
    limit = float(np.nanmax(np.abs(scores), initial=0)) or 1.0
    z = np.full(lines * across, np.nan)
    z[:n] = scores
    words = np.full(lines * across, "", dtype=object)
    for i, (gene, score, marker) in enumerate(zip(genes, scores, markers, strict=True)):
        value = "not read" if np.isnan(score) else f"{score:+.3f}"
        words[i] = f"{SIGN + ' ' if marker else ''}{shortened(str(gene), 12)}<br>{value}"
    # fields without a value have no text of their own in a heat map, so these are written apart
    blank = np.flatnonzero(np.isnan(z) & (words != ""))
    figure = go.Figure(
        go.Heatmap(
            z=z.reshape(lines, across), text=words.reshape(lines, across),
            texttemplate="%{text}", textfont={"color": INK}, zmin=-limit, zmax=limit,
            colorscale=DIVERGING, xgap=2, ygap=2,
            colorbar={"title": "score", "thickness": 12},
            hovertemplate="%{text}<extra></extra>", hoverongaps=False,
        )
    )  # fmt: skip
    figure.add_scatter(
        x=blank % across, y=blank // across, text=words[blank], mode="text", showlegend=False,
        textfont={"color": GREY}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.5, across - 0.5])
    figure.update_yaxes(visible=False, range=[lines - 0.5, -0.5])
    figure.update_layout(dragmode=False)
    return laid_out(figure, 90 + 44 * lines, "", "")
