"""Maps of cells: points in WebGL, and from 30,000 cells on one picture of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from matplotlib.path import Path
from plotly.colors import sample_colorscale

from scmpt_core.plots.layout import escaped, laid_out, shortened
from scmpt_core.plots.palette import class_styles
from scmpt_core.plots.raster import paint

PICTURE = 30_000  # cells; more are drawn as one picture
HOVER_IDS = 20_000  # up to here each point tells its cell's name
GREY = "#9AA0A6"
TOOLBAR = 30  # pixels at the top that plotly's buttons cover, under the pointer or when touched
FAINT = 0.4  # opacity of cells that have nothing of what is shown


@dataclass(frozen=True, eq=False)
class CellMap:
    """A figure, and the cells in it.

    Parameters
    ----------
    points
        All cells, drawn or not, (cells, 2).
    rows
        Curve by curve, the cell of each point.
    """

    figure: go.Figure
    points: np.ndarray
    rows: tuple[np.ndarray, ...]

    def cells_in(self, boxes: Sequence[dict], lassos: Sequence[dict]) -> np.ndarray:
        """The drawn cells inside any of the outlines, sorted.

        An outline is ``{"x": […], "y": […]}``: two opposite corners of a box, or the corners of a
        polygon. (The points that the browser counts up are the same, but 45,000 of them take
        two seconds to read.)
        """
        rows = np.sort(np.concatenate([*self.rows, np.empty(0, dtype=np.int64)]))
        at, inside = self.points[rows], np.zeros(len(rows), dtype=bool)
        for box in boxes:
            corners = np.array([box["x"], box["y"]], dtype=float).T
            low, high = corners.min(axis=0), corners.max(axis=0)
            inside |= ((at >= low) & (at <= high)).all(axis=1)
        for lasso in lassos:
            if len(lasso["x"]) > 2:
                outline = Path(np.array([lasso["x"], lasso["y"]], dtype=float).T)
                inside |= outline.contains_points(at)
        return rows[inside].astype(np.int64)


def class_map(
    points: np.ndarray,
    codes: np.ndarray,
    classes: Sequence[str],
    title: str,
    rows: np.ndarray | None = None,
    selected: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    height: int = 420,
    palette: Sequence[str] | None = None,
    names: bool = True,
) -> CellMap:
    """Cells coloured by class.

    Parameters
    ----------
    points
        (cells, 2).
    codes
        (cells,); −1 and codes beyond ``classes`` are drawn grey.
    rows
        The cells to draw; all by default.
    selected
        Cells to bring out; the others fade.
    palette
        All names in the order of colours, where ``classes`` are only some of them.
    names
        Write each name of ``palette`` where its cells are.
    """
    rows = np.arange(len(points)) if rows is None else rows
    ids = ids if len(rows) <= HOVER_IDS else None
    traces, groups, notes = [], [], []
    known = class_styles(palette or classes)
    styles = [known.get(name, (GREY, "circle-open")) for name in classes]
    here = codes[rows]
    for code in [*range(len(classes)), -1]:
        which = rows[here == code]
        if not len(which):
            continue
        colour, marker = styles[code] if code >= 0 else (GREY, "circle")
        name = classes[code] if code >= 0 else "left out"
        style = {"color": colour, "symbol": marker, "size": _size(len(rows))}
        if len(rows) <= PICTURE:
            traces.append(_trace(points, which, selected, ids, name, style))
        groups.append(which)
        if names and code >= 0 and classes[code] in known:  # others lie between the types
            notes.append(_label(points[which], name))
    figure = _figure(traces, title, height, notes)
    if len(rows) > PICTURE:
        table = np.array([_rgb(colour) for colour, _ in styles] + [_rgb(GREY)], dtype=np.uint8)
        order = np.random.default_rng(0).permutation(rows)  # or the last class would hide others
        _picture(figure, points, order, table[codes[order]], selected, {"color": GREY})
    return CellMap(figure, points, tuple(groups))


def value_map(
    points: np.ndarray,
    values: np.ndarray,
    title: str,
    unit: str,
    rows: np.ndarray | None = None,
    selected: np.ndarray | None = None,
    limits: tuple[float, float] | None = None,
    ids: np.ndarray | None = None,
    height: int = 420,
    scale: str | list = "Viridis",
    grey_zeros: bool = False,
) -> CellMap:
    """Cells coloured by a number; high values are drawn on top.

    Parameters
    ----------
    scale
        Plotly's colour scale.
    grey_zeros
        Cells of exactly 0 are grey and lie below the others.
    """
    rows = np.arange(len(points)) if rows is None else rows
    rows = rows[np.argsort(values[rows], kind="stable")]
    ids = ids if len(rows) <= HOVER_IDS else None
    low, high = limits or (0.0, float(values[rows].max(initial=0.0)) or 1.0)
    style = {
        "size": _size(len(rows)), "cmin": low, "cmax": high, "colorscale": scale,
        "colorbar": {"title": unit, "thickness": 10, "len": 0.7},
    }  # fmt: skip
    zero = values[rows] == 0 if grey_zeros else np.zeros(len(rows), dtype=bool)
    if len(rows) <= PICTURE:
        none, some = rows[zero], rows[~zero]
        faint = {"size": style["size"], "color": GREY, "opacity": FAINT}
        strong = style | {"color": values[some].astype(np.float32)}
        parts = [(none, f"{unit}: none", faint), (some, unit, strong)]
        parts = [part for part in parts if len(part[0])]
        traces = [_trace(points, which, selected, ids, *look) for which, *look in parts]
        drawn = tuple(which for which, *_ in parts)
        return CellMap(_figure(traces, title, height, []), points, drawn)
    figure = _figure([], title, height, [])
    place = np.clip((values[rows] - low) / ((high - low) or 1), 0, 1)
    table = np.array(sample_colorscale(scale, np.linspace(0, 1, 256), colortype="tuple"))
    colours = np.rint(255 * table[(255 * place).astype(int)]).astype(np.uint8)
    colours[zero] = _rgb(GREY)
    _picture(figure, points, rows, colours, selected, style | {"color": [low, high]})
    return CellMap(figure, points, (rows,))


def _picture(
    figure: go.Figure,
    points: np.ndarray,
    rows: np.ndarray,
    colours: np.ndarray,
    selected: np.ndarray | None,
    style: dict,
) -> None:
    """Put the cells into a figure as a picture; two unseen corners carry axes and colour bar."""
    some = selected is not None and len(selected) > 0
    faded = ~np.isin(rows, selected) if some else np.zeros(len(rows), dtype=bool)
    source, (left, right, bottom, top) = paint(points[rows], colours, faded, size=3)
    figure.add_scatter(
        x=[left, right], y=[bottom, top], mode="markers", hoverinfo="skip",
        marker=style | {"opacity": 0, "size": 1},
    )  # fmt: skip
    figure.add_layout_image(
        source=source, xref="x", yref="y", x=left, y=top, sizex=right - left, sizey=top - bottom,
        sizing="stretch", layer="below",
    )  # fmt: skip
    figure.update_xaxes(range=[left, right])
    figure.update_yaxes(range=[bottom, top])


def _rgb(colour: str) -> tuple[int, int, int]:
    """``#RRGGBB`` as numbers."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _size(n: int) -> int:
    return 7 if n < 2_000 else 5 if n < 20_000 else 3


def _trace(
    points: np.ndarray,
    which: np.ndarray,
    selected: np.ndarray | None,
    ids: np.ndarray | None,
    name: str,
    style: dict,
) -> dict:
    chosen = None
    if selected is not None and len(selected):
        chosen = np.flatnonzero(np.isin(which, selected)).tolist()
    text = None if ids is None else [escaped(str(i)) for i in ids[which]]
    return {
        "type": "scattergl",
        "x": points[which, 0].astype(np.float32),
        "y": points[which, 1].astype(np.float32),
        "mode": "markers",
        "name": escaped(name),
        "text": text,
        "hoverinfo": "name" if text is None else "name+text",
        "hoverlabel": {"namelength": -1},
        "marker": style,
        "selectedpoints": chosen,
        "selected": {"marker": {"opacity": 1.0}},
        "unselected": {"marker": {"opacity": 0.12}},
    }


def _label(points: np.ndarray, name: str) -> dict:
    middle = np.median(points, axis=0)
    middle = points[np.argmin(((points - middle) ** 2).sum(axis=1))]  # a place where cells are
    return {
        "x": float(middle[0]),
        "y": float(middle[1]),
        "text": shortened(name, 22),
        "showarrow": False,
        "font": {"size": 11, "color": "#111"},
        "bgcolor": "rgba(255,255,255,0.78)",
        "borderpad": 1,
    }


def _figure(traces: list[dict], title: str, height: int, notes: list[dict]) -> go.Figure:
    """All at once: adding traces and notes one by one takes a third of a second for 30 types."""
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False}
    layout = {
        "showlegend": False, "dragmode": "lasso", "annotations": notes, "xaxis": bare,
        "yaxis": bare,
    }  # fmt: skip
    figure = laid_out(go.Figure(traces, layout), height, "UMAP 1", "UMAP 2")
    if not title:
        return figure
    below = {"y": 1, "yanchor": "top", "pad": {"t": TOOLBAR}}
    return figure.update_layout(title={"text": escaped(title), **below}, margin_t=TOOLBAR + 36)
