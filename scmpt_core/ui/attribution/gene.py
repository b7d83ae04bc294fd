"""One gene: where on the map it is expressed, by which types, and its score in every type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from scmpt_core import plots
from scmpt_core.data import Dataset, label_values
from scmpt_core.library import Item
from scmpt_core.plots import attribution as figures
from scmpt_core.ui.attribution.chosen import choose_gene
from scmpt_core.ui.attribution.keep import explained_item
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.attribution.scores import method_title
from scmpt_core.ui.classify.keep import labelling_of
from scmpt_core.ui.classify.models import model_title
from scmpt_core.ui.classify.palette import palette_of
from scmpt_core.ui.components import plain, plot
from scmpt_core.ui.dataset_view import expression_of
from scmpt_core.ui.maps import map_or_button, picture_words
from scmpt_core.ui.state import dataset_of, library, owner

EXPLAINED = "the explained cells alone"
_FROM = "gene_types_from"


@dataclass(frozen=True, eq=False)
class Typed:
    """Cells whose types are known.

    Parameters
    ----------
    values, types
        Log-normalised expression of the gene, and the type, ``""``: none, (cells,).
    palette
        All names in the order of colours.
    """

    values: np.ndarray
    types: np.ndarray
    palette: list[str]


@st.fragment
def one_gene(view: View) -> None:
    """A gene, then the three looks at it."""
    item = explained_item(view.item)
    dataset = None if item is None else dataset_of(item)
    if dataset is None or dataset.cells is None:
        st.info("The cells are no longer kept: the explained ones alone can be shown.")
        name = choose_gene(view, view.result.genes.tolist())
        ways = {EXPLAINED: lambda: _explained(view, name)}
    else:
        name = choose_gene(view, dataset.cells.genes.tolist())
        _map(view, item, dataset, name)
        ways = _ways(view, item, dataset, name)
    left, right = st.columns(2, gap="large")
    with left:
        _expression(view, name, ways)
    with right:
        _scores(view, name)


def _map(view: View, item: Item, dataset: Dataset, name: str) -> None:
    """The cells coloured by the gene."""
    found = map_or_button(item, dataset)
    if found is None:
        return
    points, source = found
    values = expression_of(dataset, name)
    plot(
        plots.expression_map(points, values, name, ids=dataset.cells.ids, height=480).figure,
        "gene_map",
        f"{name}, log-normalised expression on the map of n = {len(points):,} cells, {source}. "
        f"{plots.expressed_words(values)}{picture_words(len(points))}",
        name=view.file(name, "map"),
    )  # fmt: skip


def _ways(view: View, item: Item, dataset: Dataset, name: str) -> dict[str, Callable[[], Typed]]:
    """Where the types can come from: the explained label first, the file's others, predictions."""
    columns = [column.column for column in dataset.labels]
    columns.sort(key=lambda column: column != view.item.meta["label"])
    ways: dict[str, Callable[[], Typed]] = {
        f"{column} (of the file)": lambda c=column: _of_file(dataset, name, c) for column in columns
    }
    for kept in library().list(owner(), "classification"):
        if kept.meta["dataset"] == item.id:
            title = f"predicted by {model_title(kept.meta)} [{kept.id[:4]}]"
            ways[title] = lambda k=kept: _predicted(dataset, name, k)
    if name in view.result.genes:  # the others were left out before explaining
        ways[EXPLAINED] = lambda: _explained(view, name)
    return ways


def _of_file(dataset: Dataset, name: str, column: str) -> Typed:
    types = label_values(dataset.obs, column)
    return Typed(expression_of(dataset, name), types, sorted(set(types) - {""}))


def _predicted(dataset: Dataset, name: str, kept: Item) -> Typed:
    """Cells that were not labelled, under another view, have no type."""
    labelling = labelling_of(kept)
    known = dict(zip(labelling.ids.tolist(), labelling.labels.tolist(), strict=True))
    types = np.array([known.get(id, "") for id in dataset.cells.ids.tolist()])
    return Typed(expression_of(dataset, name), types, palette_of(kept, labelling))


def _explained(view: View, name: str) -> Typed:
    """The known type of each, or the predicted one, as they were explained."""
    result = view.result
    at = int(np.flatnonzero(result.genes == name)[0])
    values = result.expression[:, [at]].toarray().ravel()
    return Typed(values, np.array(result.classes)[result.types], list(result.classes))


def _expression(view: View, name: str, ways: dict[str, Callable[[], Typed]]) -> None:
    """By type, as the chosen labels have it."""
    if not ways:
        st.info("The file has no labels, and nobody has labelled these cells yet.")
        st.page_link("pages/classify.py", label="Label them", icon=":material/label:")
        return
    if st.session_state.get(_FROM) not in ways:
        st.session_state.pop(_FROM, None)
    typed = ways[st.selectbox("Types from", list(ways), key=_FROM)]()
    rows = plots.by_type(typed.values, typed.types)
    lacking = int((typed.types == "").sum())
    plot(
        plots.expression_by_type(rows, typed.palette), "gene_by_type",
        f"{name}, log-normalised expression: boxes hold the middle half of each type's cells (n in "
        "brackets), whiskers 5 to 95 %, zeros included; dashed: mean. Beside them the share of "
        f"cells that express it. n = {sum(row.cells for row in rows):,} cells"
        + (f"; {lacking:,} without a type are left out." if lacking else "."),
        name=view.file(name, "expression-by-type"),
    )  # fmt: skip


def _scores(view: View, name: str) -> None:
    """Its score in every type, by the chosen method and way."""
    result = view.result
    at = np.flatnonzero(result.genes == name)
    found = {
        kind: scores
        for kind in result.type_names
        if (scores := result.over_seeds(view.method, view.way, kind, view.correct_only)) is not None
    }
    if not len(at) or not found:
        lack = "no explained cell was named right" if len(at) else "the model does not know it"
        st.info(f"{plain(name)} has no score: {lack}.")
        return
    values = {kind: (scores.mean[at[0]], scores.spread[at[0]]) for kind, scores in found.items()}
    mean, spread = np.array(list(values.values())).T
    unread = [kind for kind, scores in found.items() if not scores.seen[at[0]]]
    plot(
        figures.top_genes(
            [f"{kind} ({scores.n})" for kind, scores in found.items()],
            mean, spread, None, view.unit,
        ),
        "gene_scores",
        f"{name}, {method_title(view.method)}, {view.way}: mean over each type's {view.cells} (n "
        "in brackets); lines: standard deviation over cells."
        + (f" Read in no cell of {', '.join(unread)}." if unread else ""),
        name=view.file(name, view.method, view.way, "by-type"),
    )  # fmt: skip
