"""A finished result, read and summarised once."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from scmpt_core.ablations import Ablated, Row, TypeRow, load_ablated, summarise, type_rows
from scmpt_core.ablations.base import Regime
from scmpt_core.library import Item


@dataclass(frozen=True, eq=False)
class View:
    """A result, and what of it is looked at.

    Parameters
    ----------
    regime, way
        The first regime shown, and the whole model or one of its parts.
    beside
        The other regime, where both are shown.
    """

    item: Item
    result: Ablated
    rows: list[Row]
    regime: Regime
    way: str
    beside: Regime | None = None


def ablated_of(item: Item) -> Ablated:
    """The kept answers.

    Raises
    ------
    ModelError
        They are damaged, or of another format.
    """
    return _read(item.id, item.created, item)


def rows_of(item: Item) -> list[Row]:
    """Their scores, with intervals."""
    return _summarised(item.id, item.created, item)


def types_of(item: Item, rows: tuple[Row, ...]) -> list[list[TypeRow]]:
    """Each of ``rows`` by type."""
    result = ablated_of(item)
    return [type_rows(result, row) for row in rows]


@st.cache_resource(max_entries=4, show_spinner="Reading the ablations …")
def _read(id: str, created: float, _item: Item) -> Ablated:
    return load_ablated(_item.folder)


@st.cache_resource(max_entries=8, show_spinner="Resampling the cells for intervals …")
def _summarised(id: str, created: float, _item: Item) -> list[Row]:
    return summarise(ablated_of(_item))
