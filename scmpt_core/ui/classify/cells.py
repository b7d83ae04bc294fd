"""Every cell: on the map and in the table, with one choice of cells for both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from scmpt_core import plots
from scmpt_core.fusion import UNKNOWN
from scmpt_core.jobs.kinds.classify import MAP
from scmpt_core.labelling import OUTCOMES, Labelling, disputed, outcomes, set_texts
from scmpt_core.library import Item
from scmpt_core.ui.classify.palette import palette_of
from scmpt_core.ui.components import legend, plain, plot
from scmpt_core.ui.maps import names_toggle, picture_words
from scmpt_core.votes import MIXED

MAX_LISTED = 1000
ALL, DISPUTED = "all", "cells that the encoders name differently"
ORDERS = ("least sure first", "surest first", "as in the file")
Painted = tuple[plots.CellMap, list[str], list[str]]  # figure, names present, palette
Paint = Callable[[np.ndarray, dict, bool], Painted]  # points, look, whether names are written


@st.fragment
def cells(item: Item, labelling: Labelling, summary: dict) -> None:
    """Which cells, then the map that brings them out, then their table."""
    rows = _chosen(labelling)
    _map(item, labelling, summary, rows)
    _table(labelling, rows)


def _chosen(labelling: Labelling) -> np.ndarray:
    """Positions of the cells asked for, in the order asked for."""
    first, second, third = st.columns(3)
    label = _select(first, "Label", [ALL, *labelling.counts], "show_label")
    reasons = [OUTCOMES[code] for code in np.unique(outcomes(labelling))]
    if labelling.prediction.disagree is not None:
        reasons.append(DISPUTED)
    reason = _select(second, "Reason", [ALL, *reasons], "show_reason")
    order = third.selectbox("Order of the table", ORDERS, key="show_first")
    keep = np.ones(len(labelling.ids), dtype=bool)
    if label != ALL:
        keep &= labelling.labels == label
    if reason == DISPUTED:
        keep &= disputed(labelling.prediction)
    elif reason != ALL:
        keep &= outcomes(labelling) == OUTCOMES.index(reason)
    rows = np.flatnonzero(keep)
    if order == ORDERS[2]:
        return rows
    sure = np.nan_to_num(labelling.prediction.probability[rows])
    return rows[np.argsort(sure if order == ORDERS[0] else -sure, kind="stable")]


def _select(place: DeltaGenerator, label: str, options: list[str], key: str) -> str:
    """A choice among what there is now: under another rule a label or reason can be gone."""
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    return place.selectbox(label, options, key=key)


def show_disputed() -> None:
    """For a call-back: this tab, with the cells that the encoders name differently."""
    st.session_state.update(view="Cells", show_label=ALL, show_reason=DISPUTED)


def _map(item: Item, labelling: Labelling, summary: dict, rows: np.ndarray) -> None:
    ways = _ways(item, labelling)
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    by = _select(left, "Colour by", list(ways), "label_colour")
    written = names_toggle(right)
    points = _points(item.id, item.created, item.folder)
    n = len(points)
    look = {"ids": labelling.ids, "height": 520, "selected": rows if len(rows) < n else None}
    drawn, names, palette = ways[by](points, look, written)
    caption = f"UMAP {summary['map']}; {n:,} cells coloured by {by}."
    if len(rows) < n:
        caption += f" The {len(rows):,} cells chosen above stand out."
    if names:
        legend(names, palette)
    plot(drawn.figure, "labels_map", caption + picture_words(n))


def _ways(item: Item, labelling: Labelling) -> dict[str, Paint]:
    """What the map can be coloured by."""
    said, types = labelling.prediction, palette_of(item, labelling)
    classes = np.array(said.classes)
    clusters = [str(v.cluster) for v in labelling.votes]
    far = -np.log10(np.clip(said.far, 1e-300, 1))
    ways = {
        "label": _by_name(labelling.labels, types),
        "probability": _by_value(np.nan_to_num(said.probability), "probability", (0, 1)),
        "reason": _by_name(np.array(OUTCOMES)[outcomes(labelling)], list(OUTCOMES)),
        "cluster": _by_name(labelling.clusters.astype(str), clusters),
        "cluster label": _by_name(labelling.cluster_labels, types),
        "size of the label set": _by_value(labelling.sets.sum(axis=1), "types", None),
        "p of being far": _by_value(far, "−log10 p", None),
    }
    for name, codes in said.members.items():
        ways[f"what {name} alone says"] = _by_name(classes[codes], types)
    return ways


def _by_name(values: np.ndarray, palette: list[str]) -> Paint:
    """Those that are in no palette are grey and lie below the others."""
    present = sorted(set(values.tolist()), key=lambda name: (name in palette, name))
    codes = np.searchsorted(np.sort(present), values)
    place = {name: i for i, name in enumerate(present)}
    codes = np.array([place[name] for name in np.sort(present)])[codes]
    names = [{UNKNOWN: UNKNOWN, MIXED: MIXED, "": "in no cluster"}.get(n, n) for n in present]

    def paint(points: np.ndarray, look: dict, written: bool) -> Painted:
        drawn = plots.class_map(points, codes, names, "", palette=palette, names=written, **look)
        return drawn, names, palette

    return paint


def _by_value(values: np.ndarray, unit: str, limits: tuple[float, float] | None) -> Paint:
    def paint(points: np.ndarray, look: dict, written: bool) -> Painted:
        return plots.value_map(points, values, "", unit, limits=limits, **look), [], []

    return paint


@st.cache_resource(max_entries=4)
def _points(id: str, created: float, _folder: Path) -> np.ndarray:
    return np.load(_folder / MAP, allow_pickle=False)


def _table(labelling: Labelling, rows: np.ndarray) -> None:
    st.caption(f"{min(len(rows), MAX_LISTED):,} of {len(rows):,} cells; the .csv holds all.")
    some = rows[:MAX_LISTED]
    said, classes = labelling.prediction, np.array(labelling.prediction.classes)
    texts = set_texts(said.classes, said.proba[some], labelling.sets[some])
    columns = {
        "cell": labelling.ids[some],
        "label": labelling.labels[some],
        "probability": said.probability[some],
        "reason": labelling.reasons[some],
        "most probable type": labelling.guesses[some],
        f"set at {labelling.rule.coverage:.0%}": texts,
        "cluster": labelling.clusters[some].astype(str),
        "cluster label": labelling.cluster_labels[some],
        "p of being far": said.far[some],
    }
    columns |= {
        f"{plain(name)} alone": classes[codes[some]] for name, codes in said.members.items()
    }
    st.dataframe(
        pd.DataFrame(columns), hide_index=True,
        column_config={
            "probability": st.column_config.NumberColumn(format="%.3f"),
            "p of being far": st.column_config.NumberColumn(format="%.2g"),
        },
    )  # fmt: skip
