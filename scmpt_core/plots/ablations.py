"""What ablations cost: a board of all, one over its strength, by type, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from scmpt_core.ablations import FAMILIES, Row, Strength, get_ablation
from scmpt_core.ablations.base import Family
from scmpt_core.ablations.summary import cost
from scmpt_core.plots.attribution import DIVERGING, FEW_SOURCES, INK, LINES
from scmpt_core.plots.labels import ACROSS, GREY
from scmpt_core.plots.layout import escaped, laid_out, shortened
from scmpt_core.plots.palette import model_colour

# colours that colour-blind readers tell apart (Okabe and Ito 2008)
FAMILY_COLOURS: dict[Family, str] = dict(
    zip(
        FAMILIES,
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
        strict=True,
    )
)
DROP, FLIPPED = "drop in macro F1 (unperturbed less perturbed)", "share of labels that flip"
Style = tuple[str, str]  # colour, dash


def way_styles(ways: Sequence[str], encoders: Sequence[str]) -> dict[str, Style]:
    """Way → the colour of models like it, and a dash that tells equal colours apart.

    Parameters
    ----------
    ways
        The whole model first, then its parts, each called like its encoder.
    """
    styles: dict[str, Style] = {}
    for i, way in enumerate(ways):
        row = {"kind": "model", "name": way, "encoders": [way] if i else list(encoders)}
        colour = model_colour(row)
        alike = sum(colour == other for other, _ in styles.values())
        styles[way] = (colour, LINES[alike % len(LINES)])
    return styles


def board(rows: Sequence[Row], beside: Sequence[Row] = ()) -> go.Figure:
    """A bar an ablation, in the order given, coloured by family, with 95 % intervals.

    Parameters
    ----------
    rows
        Of one regime and way.
    beside
        Of another regime: drawn hatched below the bar of the same ablation.
    """
    places = {(r.ablation, r.target): i for i, r in enumerate(rows)}
    shift = 0.2 if beside else 0.0
    figure, told = go.Figure(), set()
    for bars, y, pattern in ((rows, -shift, ""), (beside, shift, "/")):
        for family in FAMILIES:
            mine = [
                r for r in bars
                if get_ablation(r.ablation).family == family and (r.ablation, r.target) in places
            ]  # fmt: skip
            if mine:
                at = [places[r.ablation, r.target] + y for r in mine]
                figure.add_bar(
                    **_bars(mine, at, FAMILY_COLOURS[family], pattern), name=family,
                    legendgroup=family, showlegend=family not in told,
                    width=0.38 if beside else 0.75,
                )  # fmt: skip
                told.add(family)
    names = [shortened(r.title, 48) for r in rows]
    figure.update_yaxes(
        range=[len(rows) - 0.4, -0.6], tickvals=list(range(len(rows))), ticktext=names
    )
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_layout(legend=ACROSS, barmode="overlay", showlegend=True)
    known = bool(rows) and rows[0].macro_f1_drop is not None
    return laid_out(
        figure, 150 + (38 if beside else 26) * len(rows), DROP if known else FLIPPED, ""
    )


def _bars(rows: Sequence[Row], at: Sequence[float], colour: str, pattern: str) -> dict:
    """One family under one regime."""
    errors = None
    if any(r.interval is not None for r in rows):
        spans = [(cost(r), r.interval) for r in rows]
        errors = {
            "type": "data", "color": GREY, "thickness": 1.5, "symmetric": False,
            "array": [0 if i is None else max(i.high - c, 0) for c, i in spans],
            "arrayminus": [0 if i is None else max(c - i.low, 0) for c, i in spans],
        }  # fmt: skip
    return {
        "x": [cost(r) for r in rows], "y": list(at), "orientation": "h", "error_x": errors,
        "marker": {"color": colour, "pattern": {
            "shape": pattern, "bgcolor": colour, "fgcolor": "#FFFFFF", "solidity": 0.3}},
        "customdata": [_words(r) for r in rows],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def _words(row: Row) -> str:
    parts = [escaped(row.title), row.regime]
    if row.macro_f1_drop is not None:
        parts.append(f"macro F1 {row.macro_f1:.3f}, drop {row.macro_f1_drop:+.3f}")
    if row.interval is not None:
        parts.append(f"95 % interval {row.interval.low:+.3f} to {row.interval.high:+.3f}")
    return "<br>".join([*parts, f"{row.flipped:.1%} of labels flip, n = {row.n:,} cells"])


def curve(
    lines: Mapping[str, Sequence[Row]],
    before: Mapping[str, float | None],
    styles: Mapping[str, Style],
    strength: Strength,
) -> go.Figure:
    """One ablation from weak to strong, a line a way, bars of one standard deviation of seeds.

    Parameters
    ----------
    lines
        Way → its rows; drawn is macro F1, or, where no true types are known, the share of labels
        that flip.
    before
        Way → macro F1 unperturbed: a dotted line; ``None``: none.
    """
    figure, scale = go.Figure(), 100 if strength.share else 1
    known = all(r.macro_f1 is not None for rows in lines.values() for r in rows)
    for way, rows in lines.items():
        colour, dash = styles[way]
        x = [scale * r.strength for r in rows]
        spread = [r.macro_f1_sd for r in rows]
        figure.add_scatter(
            x=x, y=[r.macro_f1 if known else r.flipped for r in rows], mode="lines+markers",
            name=escaped(way), line={"color": colour, "dash": dash, "width": 2.5},
            error_y={"type": "data", "array": spread, "color": colour, "thickness": 1.5}
            if known and None not in spread else None,
            customdata=[_words(r) for r in rows],
            hovertemplate=f"{escaped(way)}<br>%{{customdata}}<extra></extra>",
        )  # fmt: skip
        if known and before[way] is not None:
            figure.add_scatter(
                x=[min(x), max(x)], y=[before[way]] * 2, mode="lines", showlegend=False,
                line={"color": colour, "dash": "dot", "width": 1.5}, name=escaped(way),
                hovertemplate=f"{escaped(way)}, unperturbed: %{{y:.3f}}<extra></extra>",
            )  # fmt: skip
    ticks = [scale * v for v in sorted({r.strength for rows in lines.values() for r in rows})]
    figure.update_xaxes(
        tickvals=ticks, ticktext=[f"{t:g}" for t in ticks], type="linear" if scale > 1 else "log",
        autorange="reversed" if strength.values[0] > strength.values[-1] else True,
    )  # fmt: skip
    figure.update_yaxes(range=[-0.02, 1.02])
    figure.update_layout(legend=ACROSS, showlegend=True)
    unit = " (%)" if strength.share else ""
    return laid_out(figure, 380, strength.what + unit, "macro F1" if known else FLIPPED)


def type_heat(
    values: np.ndarray, types: Sequence[str], cells: Sequence[int], names: Sequence[str],
    recall: bool,
) -> go.Figure:  # fmt: skip
    """Types against ablations.

    Parameters
    ----------
    values
        Drop in recall, or share of labels that flip, (types, ablations).
    cells
        Of each type, written beside its name.
    recall
        Which of the two it is.
    """
    limit = max(float(np.abs(values).max(initial=0)), 0.1) if recall else 1.0
    told = np.empty((*values.shape, 2), dtype=object)
    for i, name in enumerate(types):
        for j, ablation in enumerate(names):
            told[i, j] = escaped(name), escaped(ablation)
    few = len(names) <= FEW_SOURCES
    figure = go.Figure(
        go.Heatmap(
            z=values, customdata=told, zmin=-limit if recall else 0, zmax=limit, xgap=1, ygap=1,
            colorscale=DIVERGING if recall else "Blues",
            texttemplate="%{z:.2f}" if few else None, textfont={"color": INK} if recall else None,
            colorbar={"title": "drop in<br>recall" if recall else "share<br>flipped",
                      "thickness": 12},
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    words = [f"{shortened(t, 24)} ({n:,})" for t, n in zip(types, cells, strict=True)]
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=[shortened(n, 44) for n in names],
        tickangle=-45, showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(types))), ticktext=words, showgrid=False
    )
    figure.update_layout(dragmode=False)
    return laid_out(figure, 330 + 26 * len(types), "", "type (cells)")


def before_after(
    ways: Sequence[str], before: Sequence[float], after: Sequence[float],
    styles: Mapping[str, Style], unit: str,
) -> go.Figure:  # fmt: skip
    """A way a line: an open circle without the perturbation, a full one with it.

    Parameters
    ----------
    before, after
        0…1, (ways,).
    unit
        Of both, for the axis.
    """
    figure = go.Figure()
    colours = [styles[way][0] for way in ways]
    for place, (a, b, colour) in enumerate(zip(before, after, colours, strict=True)):
        figure.add_scatter(
            x=[a, b], y=[place, place], mode="lines", line={"color": colour, "width": 3},
            opacity=0.5, showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    for name, values, symbol in (("before", before, "circle-open"), ("after", after, "circle")):
        figure.add_scatter(
            x=list(values), y=list(range(len(ways))), mode="markers", name=name,
            marker={"color": colours, "symbol": symbol, "size": 13,
                    "line": {"width": 2.5, "color": colours}},
            customdata=[escaped(way) for way in ways],
            hovertemplate=f"%{{customdata}}, {name}: %{{x:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_yaxes(
        range=[len(ways) - 0.4, -0.6], tickvals=list(range(len(ways))), zeroline=False,
        ticktext=[shortened(way) for way in ways],
    )  # fmt: skip
    figure.update_layout(legend=ACROSS)
    return laid_out(figure, 140 + 34 * len(ways), unit, "")
