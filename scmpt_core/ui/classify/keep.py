"""What is chosen on labelled cells: kept with the item at once, by call-backs, and undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from scmpt_core.errors import ScmptError
from scmpt_core.fusion import Rule
from scmpt_core.labelling import Labelling, load_labelling
from scmpt_core.library import Item, choices_of, choose, undo_choice
from scmpt_core.ui.components import plain
from scmpt_core.ui.state import library, owner

_REFUSED = "refused_choice"


def labelling_of(item: Item) -> Labelling:
    """The kept labels under what is chosen now; nothing is computed again but the labels."""
    choices = json.dumps(choices_of(item), sort_keys=True)
    return _labelled(item.id, item.created, choices, item)


@st.cache_resource(max_entries=4, show_spinner=False)
def _labelled(id: str, created: float, choices: str, _item: Item) -> Labelling:
    stored = _stored(id, created, _item)
    now = choices_of(_item)
    return replace(stored, rule=Rule(**now["rule"]), edits=now["edits"], terms=now["terms"])


@st.cache_resource(max_entries=4, show_spinner="Reading the labels …")
def _stored(id: str, created: float, _item: Item) -> Labelling:
    return load_labelling(_item.folder)


def change(id: str, changes: Callable[[Labelling], dict[str, dict]]) -> None:
    """Keep what ``changes`` makes of the labels as they are now; for call-backs.

    What the user can put right is shown by :func:`refusal` when the page is drawn.
    """
    try:
        item = library().get(owner(), "classification", id)
        choose(library(), item, **changes(labelling_of(item)))
    except ScmptError as error:
        st.session_state[_REFUSED] = error


def undo(id: str) -> None:
    """Back by one step; for call-backs."""
    try:
        undo_choice(library(), library().get(owner(), "classification", id))
    except ScmptError as error:
        st.session_state[_REFUSED] = error


def refusal() -> None:
    """Why the last choice was not kept, once."""
    error = st.session_state.pop(_REFUSED, None)
    if error is not None:
        st.error(f"**{plain(error.message)}** {plain(error.hint)}")


def undo_button(item: Item, key: str) -> None:
    """One step back, whatever kind of choice it was."""
    st.button(
        "Undo", key=f"undo_{key}", icon=":material/undo:", on_click=undo, args=(item.id,),
        disabled=not item.meta.get("past"), help="Takes back the last choice on these labels.",
    )  # fmt: skip
