"""A cell's genes in reading order, each a tile that can be clicked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from scmpt_core.plots.attribution import DIVERGING, INK, SIGN
from scmpt_core.plots.layout import escaped, laid_out, shortened

ACROSS = 6  # tiles in a line: on a phone, where the figure is 544 px wide, names still fit at 11 px
TEXT = 12  # px
FAINT = "#7A8087"  # reads on a white page and on a dark one
EMPTY = "#B4B8BC"  # a tile whose gene was taken away
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shared_factor(scores: np.ndarray) -> tuple[int, int]:
    """A power of ten for all scores of a sentence, and the decimals to show beside it.

    0 while the highest stands between 0.1 and 1,000; three digits of it are shown.
    """
    limit = float(np.nanmax(np.abs(scores), initial=0))
    power = math.floor(math.log10(limit)) if limit > 0 else 0
    return (0, max(0, 2 - power)) if -1 <= power <= 2 else (power, 2)


def factor_words(scores: np.ndarray) -> str:
    """The factor, for a caption: ``"× 10⁻³"``; empty where there is none."""
    power = shared_factor(scores)[0]
    return f"× 10{str(power).translate(SUPERSCRIPT)}" if power else ""


def sentence(
    genes: Sequence[str], scores: np.ndarray, markers: np.ndarray, gone: np.ndarray,
    across: int = ACROSS,
) -> go.Figure:  # fmt: skip
    """Each tile shaded by its score, which stands below its name, without the shared factor.

    Tiles are bars, since plotly tells which bar was clicked: ``customdata`` is the gene's place.

    Parameters
    ----------
    scores
        (genes,); NaN where the model did not read the gene.
    markers
        Whether it is a marker of the type, (genes,) bool.
    gone
        Whether it was taken away, (genes,) bool; struck through.
    across
        Genes in a line.
    """
    lines, limit = -(-len(genes) // across), float(np.nanmax(np.abs(scores), initial=0)) or 1.0
    names = [f"{SIGN + ' ' if m else ''}{shortened(str(g), 13)}"
             for g, m in zip(genes, markers, strict=True)]  # fmt: skip
    read = ~np.isnan(scores)
    figure, values = go.Figure(), _values(scores)
    colours = {"color": scores[read & ~gone], "colorscale": DIVERGING, "cmin": -limit,
               "cmax": limit}  # fmt: skip
    blank = {"color": "rgba(0,0,0,0)", "line": {"color": FAINT, "width": 1}}
    for chosen, marker, ink in (
        (read & ~gone, colours, INK), (~read & ~gone, blank, FAINT), (gone, {"color": EMPTY}, INK)
    ):  # fmt: skip
        rows = np.flatnonzero(chosen)
        figure.add_bar(
            x=rows % across, y=np.full(len(rows), 0.94), base=rows // across - 0.47, width=0.97,
            marker=marker, customdata=rows,
            text=[f"<s>{names[i]}</s><br>taken away" if gone[i] else f"{names[i]}<br>{values[i]}"
                  for i in rows],
            textfont={"size": TEXT, "color": ink}, textposition="inside", constraintext="none",
            insidetextanchor="middle", textangle=0, showlegend=False,
            hovertext=[_hover(genes[i], scores[i], markers[i]) for i in rows],
            hovertemplate="%{hovertext}<extra></extra>",
            selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
        )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.5, across - 0.5])
    figure.update_yaxes(visible=False, range=[lines - 0.5, -0.5])
    figure.update_layout(dragmode=False, barmode="overlay")
    return laid_out(figure, 40 + 46 * lines, "", "").update_layout(margin_t=28)


def _values(scores: np.ndarray) -> list[str]:
    """As they stand in the tiles; what rounds to 0 has no sign."""
    power, decimals = shared_factor(scores)
    out = []
    for score in scores:
        rounded = round(float(score) / 10.0**power, decimals) if not np.isnan(score) else np.nan
        out.append("not read" if np.isnan(rounded) else f"{rounded:+.{decimals}f}" if rounded
                   else "0")  # fmt: skip
    return out


def _hover(gene: str, score: float, marker: bool) -> str:
    value = "not read" if np.isnan(score) else f"score {score:+.6g}"
    return f"{escaped(str(gene))}{', known marker' * bool(marker)}<br>{value}"
