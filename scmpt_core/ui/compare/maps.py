"""UMAPs side by side, coloured by what a model says or by which of two models is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from scmpt_core import plots
from scmpt_core.data import Dataset
from scmpt_core.evaluation import StoredComparison, cells_tested, right_names, who_is_right
from scmpt_core.library import Item
from scmpt_core.ui.compare.cells import drawn, drawn_around, listed, selection
from scmpt_core.ui.compare.models import against
from scmpt_core.ui.components import legend, plain, plot_config
from scmpt_core.ui.dataset_view import expression_of, gene_picker
from scmpt_core.ui.maps import names_toggle
from scmpt_core.ui.state import dataset_of, library, owner

RIGHT_OR_WRONG = ("right", "wrong")
TYPES = ("true type", "prediction")
WHO = "which model is right"
COLOURS = [*TYPES, "right or wrong", WHO, "probability", "a gene"]
ACROSS = 3  # maps side by side


@dataclass(frozen=True, eq=False)
class Painter:
    """How one map is drawn, and what its colours mean."""

    draw: Callable[[np.ndarray, str], plots.CellMap]  # points, title
    names: Sequence[str] = ()  # of the legend
    palette: Sequence[str] = ()
    words: str = ""


@st.fragment
def maps(item: Item, result: StoredComparison, model: str) -> None:
    """UMAPs side by side; cells drawn around in one stand out in all."""
    left, middle, right, last = st.columns([2, 2, 3, 1.4], vertical_alignment="bottom")
    by = left.selectbox("Colour by", COLOURS, key="colour", bind="query-params")
    which = middle.selectbox(
        "Cells", ["test cells of the first split", "all cells"], key="which",
        help="Of all cells, most were trained on; only test cells show how good a model is.",
    )  # fmt: skip
    names = right.multiselect("Maps of", list(result.maps), list(result.maps), key="map_of")
    written = names_toggle(last)
    rows = np.arange(len(result.part)) if which == "all cells" else cells_tested(result)
    selected = selection(item)
    look = {
        "rows": rows, "selected": selected, "ids": result.ids,
        "height": 600 if len(names) == 1 else 420,
    }  # fmt: skip
    painter = _painter(item, result, model, by, written, look)
    if painter is None:
        return
    _draw(result, names, painter, f"{len(rows):,} cells coloured by {by}")
    if painter.names:
        legend(painter.names, painter.palette)
    st.caption(
        f"{painter.words}{len(rows):,} cells; UMAP of each encoder's embedding, seed 0. Distances "
        "between groups mean little. Draw around cells with the lasso or the box to list them."
    )
    listed(item, result, model, selected)


def _draw(result: StoredComparison, names: Sequence[str], painter: Painter, what: str) -> None:
    """The maps, and what each had selected when it was drawn."""
    maps, states = {}, {}
    wide = min(len(names), ACROSS)
    for start in range(0, len(names), ACROSS):
        for name, column in zip(names[start : start + ACROSS], st.columns(wide), strict=False):
            maps[name] = painter.draw(result.maps[name], name)
            with column:
                states[name] = st.plotly_chart(
                    maps[name].figure, key=f"map_{name}", on_select=drawn_around,
                    selection_mode=("lasso", "box"), alt=f"UMAP of {name}, {what}.",
                    config=plot_config(f"umap_{name}"),
                )  # fmt: skip
    drawn(maps, states)


def _painter(
    item: Item, result: StoredComparison, model: str, by: str, written: bool, look: dict
) -> Painter | None:
    """How to draw the maps, or ``None`` when that cannot be done; then it says why."""
    if by == "probability":
        p = result.probability[model]
        return Painter(
            lambda xy, title: plots.value_map(xy, p, title, "probability", limits=(0, 1), **look)
        )
    if by == "right or wrong":
        wrong = np.where(result.truth < 0, -1, result.truth != result.predicted[model])
        return _classes(wrong, RIGHT_OR_WRONG, RIGHT_OR_WRONG, False, look)
    if by == WHO:
        return _who(result, model, look)
    if by == "a gene":
        return _gene(item, len(result.ids), look)
    codes = result.truth if by == "true type" else result.predicted[model]
    palette = result.summary["dataset"]["palette"]
    return _classes(codes, result.classes, palette, written, look)


def _classes(
    codes: np.ndarray, names: Sequence[str], palette: Sequence[str], written: bool, look: dict
) -> Painter:
    def draw(points: np.ndarray, title: str) -> plots.CellMap:
        return plots.class_map(points, codes, names, title, palette=palette, names=written, **look)

    return Painter(draw, names, palette)


def _who(result: StoredComparison, model: str, look: dict) -> Painter | None:
    """Two models: both right, only one, neither."""
    other = against("Second model", result, model, result.fitted)
    if other is None:
        st.info("There is one model alone; nothing to hold it against.")
        return None
    codes = who_is_right(result.truth, result.predicted[model], result.predicted[other])
    names, shown = right_names(model, other), codes[look["rows"]]
    counts = np.bincount(shown[shown >= 0], minlength=len(names))
    words = ", ".join(f"{name}: {n:,}" for name, n in zip(names, counts, strict=True))
    return replace(_classes(codes, names, names, False, look), words=f"Cells: {plain(words)}. ")


def _gene(item: Item, cells: int, look: dict) -> Painter | None:
    dataset = _dataset(item, cells)
    if dataset is None:
        st.warning("The dataset was deleted or changed, so its genes cannot be shown.")
        return None
    gene = gene_picker(dataset)
    values = expression_of(dataset, gene)
    return Painter(
        lambda xy, title: plots.expression_map(xy, values, f"{title}: {gene}", **look),
        words=f"{plain(plots.expressed_words(values[look['rows']]))} ",
    )


def _dataset(item: Item, cells: int) -> Dataset | None:
    """The comparison's dataset as it was compared, if it is still kept."""
    for kept in library().list(owner(), "dataset"):
        if kept.id == item.meta["dataset"]:
            dataset = dataset_of(replace(kept, meta=kept.meta | {"view": item.meta["view"]}))
            return dataset if dataset.cells is not None and len(dataset.cells) == cells else None
    return None
