"""What is read once, and which entry of a database each label means: kept with the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from scmpt_core.attribution import Attribution, load_attribution
from scmpt_core.library import Item
from scmpt_core.markers import MarkerDatabase, Match, forget, recall, remember
from scmpt_core.ui.state import library, owner

_BOOK = "markers"  # field of the item's meta


def attribution_of(item: Item) -> Attribution:
    """The kept scores, read once.

    Raises
    ------
    ModelError
        They are damaged, or of another format.
    """
    return _read(item.id, item.created, item)


@st.cache_resource(max_entries=4, show_spinner="Reading the scores …")
def _read(id: str, created: float, _item: Item) -> Attribution:
    return load_attribution(_item.folder)


def explained_item(item: Item) -> Item | None:
    """The dataset as it was seen when it was explained; ``None`` where it was deleted."""
    for kept in library().list(owner(), "dataset"):
        if kept.id == item.meta["dataset"]:
            return replace(kept, meta=kept.meta | {"view": item.meta["view"]})
    return None


def _keeper(item: Item) -> Item:
    """The dataset, of which ``item`` may be a result; where it was deleted, the result itself."""
    kept = {d.id: d for d in library().list(owner(), "dataset")}
    return kept.get(item.meta.get("dataset", item.id)) or library().get(owner(), item.kind, item.id)


def matches_of(item: Item, labels: Sequence[str], database: MarkerDatabase) -> list[Match]:
    """A proposal for each label, confirmed where somebody confirmed it."""
    return recall(_keeper(item).meta.get(_BOOK, {}), labels, database)


def keep_matches(item: Item, matches: Sequence[Match], database: MarkerDatabase) -> None:
    """Remember what is confirmed."""
    keeper = _keeper(item)
    book = remember(matches, database, keeper.meta.get(_BOOK))
    library().update(owner(), keeper.kind, keeper.id, **{_BOOK: book})


def forget_matches(item: Item, database: MarkerDatabase) -> None:
    """Take back what was confirmed for one database."""
    keeper = _keeper(item)
    book = forget(keeper.meta.get(_BOOK, {}), database)
    library().update(owner(), keeper.kind, keeper.id, **{_BOOK: book})
