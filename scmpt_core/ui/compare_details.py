"""Details of a comparison, each in a tab that runs when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core import plots
from scmpt_core.data import PARTS, Dataset
from scmpt_core.evaluation import MAJORITY, StoredComparison
from scmpt_core.library import Item
from scmpt_core.ui.components import legend, plain, plot, plot_config
from scmpt_core.ui.dataset_view import expression_of, gene_picker
from scmpt_core.ui.state import dataset_of, library, owner

TEST = PARTS.index("test")
TABS = ("Maps", "Confusion", "Per type", "Learning curves", "Mistakes")
MAX_LISTED = 1000
RIGHT_OR_WRONG = ("right", "wrong")
Painter = Callable[[np.ndarray, str], plots.CellMap]  # points, title
_SELECTED = "selected_cells"


def details(item: Item, result: StoredComparison) -> None:
    """The tabs; one model is looked at in all of them."""
    fitted = [row["name"] for row in result.summary["models"] if row["name"] != MAJORITY]
    best = result.best["name"]
    model = st.selectbox(
        "Model in detail", fitted, fitted.index(best) if best in fitted else 0, key="model",
        bind="query-params",
    )  # fmt: skip
    tabs = dict(zip(TABS, st.tabs(TABS, key="view", bind="query-params"), strict=True))
    for name, draw in (
        ("Maps", lambda: maps(item, result, model)),
        ("Confusion", lambda: confusion(result, model)),
        ("Per type", lambda: per_type(result, model)),
        ("Learning curves", lambda: curves(result, model)),
        ("Mistakes", lambda: mistakes(result, model)),
    ):
        with tabs[name]:
            if tabs[name].open:
                draw()


@st.fragment
def maps(item: Item, result: StoredComparison, model: str) -> None:
    """UMAPs side by side; cells drawn around in one stand out in all."""
    left, middle, right, last = st.columns([2, 2, 3, 1.4], vertical_alignment="bottom")
    by = left.selectbox(
        "Colour by", ["true type", "prediction", "right or wrong", "probability", "a gene"],
        key="colour", bind="query-params",
    )  # fmt: skip
    which = middle.selectbox(
        "Cells", ["test cells of the first split", "all cells"], key="which",
        help="Of all cells, most were trained on; only test cells show how good a model is.",
    )  # fmt: skip
    names = right.multiselect("Maps of", list(result.maps), list(result.maps), key="map_of")
    written = last.toggle(
        "Names", key="map_names", help="Write the types on the maps; best with one map at a time."
    )
    test = which != "all cells"
    rows = np.flatnonzero(result.part == TEST) if test else np.arange(len(result.part))
    selected = _selection(item)
    look = {
        "rows": rows, "selected": selected, "ids": result.ids,
        "height": 600 if len(names) == 1 else 420,
    }  # fmt: skip
    draw = _painter(item, result, model, by, written, look)
    if draw is None:
        return
    st.session_state["drawn"] = {}
    wide = min(len(names), 3)
    for start in range(0, len(names), 3):
        for name, column in zip(names[start : start + 3], st.columns(wide), strict=False):
            drawn = draw(result.maps[name], name)
            with column:
                state = st.plotly_chart(
                    drawn.figure, key=f"map_{name}", on_select=_select,
                    selection_mode=("lasso", "box"),
                    alt=f"UMAP of {name}, {len(rows):,} cells coloured by {by}.",
                    config=plot_config(f"umap_{name}"),
                )  # fmt: skip
            st.session_state["drawn"][name] = (drawn, _outlines(state))
    if by in ("true type", "prediction"):
        legend(result.classes, result.summary["dataset"]["palette"])
    elif by == "right or wrong":
        legend(RIGHT_OR_WRONG, RIGHT_OR_WRONG)
    st.caption(
        f"{len(rows):,} cells; UMAP of each encoder's embedding, seed 0. Distances "
        "between groups mean little. Draw around cells with the lasso or the box to list them."
    )
    listed(item, result, model, selected)


def _painter(
    item: Item, result: StoredComparison, model: str, by: str, written: bool, look: dict
) -> Painter | None:
    """How to draw one map, or ``None`` when the dataset that it needs is gone."""
    palette = result.summary["dataset"]["palette"]
    if by == "probability":
        p = result.probability[model]
        return lambda xy, title: plots.value_map(xy, p, title, "probability", limits=(0, 1), **look)
    if by == "right or wrong":
        codes = np.where(result.truth < 0, -1, result.truth != result.predicted[model])
        return lambda xy, title: plots.class_map(
            xy, codes, RIGHT_OR_WRONG, title, names=False, **look
        )
    if by == "a gene":
        dataset = _dataset(item, len(result.ids))
        if dataset is None:
            st.warning("The dataset was deleted or changed, so its genes cannot be shown.")
            return None
        gene = gene_picker(dataset)
        values = expression_of(dataset, gene)
        return lambda xy, title: plots.value_map(
            xy, values, f"{title}: {gene}", "log expr.", **look
        )
    codes = result.truth if by == "true type" else result.predicted[model]
    return lambda xy, title: plots.class_map(
        xy, codes, result.classes, title, palette=palette, names=written, **look
    )


def _dataset(item: Item, cells: int) -> Dataset | None:
    """The comparison's dataset as it was compared, if it is still kept."""
    for kept in library().list(owner(), "dataset"):
        if kept.id == item.meta["dataset"]:
            dataset = dataset_of(replace(kept, meta=kept.meta | {"view": item.meta["view"]}))
            return dataset if dataset.cells is not None and len(dataset.cells) == cells else None
    return None


def _select() -> None:
    """The map whose outlines differ from what they were when it was drawn decides."""
    for name, (drawn, before) in st.session_state.get("drawn", {}).items():
        outlines = _outlines(st.session_state.get(f"map_{name}"))
        if outlines != before:
            st.session_state[_SELECTED] = drawn.cells_in(*outlines)


def _outlines(state: Mapping | None) -> tuple[list[dict], list[dict]]:
    """Boxes and lassos of a selection."""
    if not state:
        return [], []
    shapes = ([{"x": list(s["x"]), "y": list(s["y"])} for s in state["selection"][kind]]
              for kind in ("box", "lasso"))  # fmt: skip
    return tuple(shapes)


def _selection(item: Item) -> np.ndarray | None:
    """Selected cells of this comparison."""
    if st.session_state.get("selected_of") != item.id:
        st.session_state["selected_of"] = item.id
        st.session_state.pop(_SELECTED, None)
    found = st.session_state.get(_SELECTED)
    return found if found is not None and len(found) else None


def cell_table(result: StoredComparison, model: str, rows: np.ndarray) -> pd.DataFrame:
    """Cells with what is true and what the model says."""
    return pd.DataFrame(
        {
            "cell": result.ids[rows],
            "true type": result.names(result.truth[rows]),
            "prediction": result.names(result.predicted[model][rows]),
            "probability": result.probability[model][rows],
            "part": np.array([*PARTS, "left out"])[result.part[rows]],
        }
    )


def listed(item: Item, result: StoredComparison, model: str, rows: np.ndarray | None) -> None:
    """The selected cells as a table."""
    if rows is None:
        return
    table = cell_table(result, model, rows)
    known = rows[result.truth[rows] >= 0]
    text = f"**{len(rows):,} cells selected**."
    if len(known):
        share = (result.truth[known] == result.predicted[model][known]).mean()
        text += f" {model} labels {share:.1%} of the {len(known):,} with a usable label right."
        trained = int((result.part[known] != TEST).sum())
        if trained:
            text += f" {trained:,} of them took part in training or its checks: no measure."
    st.markdown(text)
    left, right, _ = st.columns([1, 1, 3])
    left.download_button(
        "Download the list", lambda: table.to_csv(index=False), "selected_cells.csv", "text/csv",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    if right.button("Clear selection", icon=":material/close:"):
        st.session_state.pop(_SELECTED, None)
        st.rerun(scope="fragment")
    if len(rows) > MAX_LISTED:
        st.caption(f"The first {MAX_LISTED:,} are listed; the download holds all.")
    st.dataframe(table.head(MAX_LISTED), hide_index=True)


def confusion(result: StoredComparison, model: str) -> None:
    """Which types are taken for which."""
    matrix, order = result.confusions[model], result.order
    names = [result.classes[i] for i in order]
    plot(
        plots.confusion(matrix[np.ix_(order, order)], names, model), "confusion",
        f"Rows: true type; n = {int(matrix.sum()):,} test cells over "
        f"{result.summary['split']['runs']} split(s). Types that models confuse stand together.",
        wide=True,
    )  # fmt: skip


def per_type(result: StoredComparison, model: str) -> None:
    """Precision, recall and F1 of each type."""
    row = next(r for r in result.summary["models"] if r["name"] == model)
    table = pd.DataFrame(
        [
            {"type": name, **{k: v[k]["mean"] for k in ("precision", "recall", "f1")},
             "test cells a run": v["support"]["mean"]}
            for name, v in row["per_class"].items()
        ]
    ).sort_values("f1")  # fmt: skip
    st.caption("The hardest first; means over runs, 0–1, higher is better.")
    bar = {k: st.column_config.ProgressColumn(k, min_value=0, max_value=1, format="%.2f")
           for k in ("precision", "recall", "f1")}  # fmt: skip
    st.dataframe(table, hide_index=True, column_config=bar)


def curves(result: StoredComparison, model: str) -> None:
    """How training went."""
    runs = result.histories[model]
    plot(
        plots.learning_curves(runs, model), "curve",
        f"{len(runs)} run(s); training stops when the validation loss no longer falls.",
    )  # fmt: skip


def mistakes(result: StoredComparison, model: str) -> None:
    """Test cells that were labelled wrongly with the highest probability."""
    test = np.flatnonzero((result.part == TEST) & (result.truth >= 0))
    wrong = test[result.truth[test] != result.predicted[model][test]]
    if not len(wrong):
        st.success(
            f"{plain(model)} labelled all {len(test):,} test cells of the first split right."
        )
        return
    wrong = wrong[np.argsort(-result.probability[model][wrong])][:100]
    st.caption(
        "Wrong labels that the model was surest of (test cells of the first split, at most 100). "
        "A wrong true label looks the same."
    )
    st.dataframe(cell_table(result, model, wrong).drop(columns="part"), hide_index=True)
