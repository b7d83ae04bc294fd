"""Choices on labelled cells: kept, undone one by one, and never more than there are."""

from __future__ import annotations

import pytest

from scmpt_core.errors import SettingError
from scmpt_core.library import Library, choices_of, choose, undo_choice
from scmpt_core.library.choices import MOST_STEPS


@pytest.fixture
def library(home):
    return Library(home)


@pytest.fixture
def item(library):
    return library.add(
        "ann", "classification", "c", lambda folder: {"rule": {"error": 0.05}, "edits": {}}
    )


def test_choices_are_kept_and_undone_in_turn(library, item):
    item = choose(library, item, rule={"error": 0.1})
    item = choose(library, item, edits={"0": "B"})
    item = choose(library, item, terms={"B": "CL:0000236"})
    again = library.get("ann", "classification", item.id)
    assert choices_of(again) == {
        "rule": {"error": 0.1}, "edits": {"0": "B"}, "terms": {"B": "CL:0000236"},
    }  # fmt: skip
    item = undo_choice(library, undo_choice(library, again))
    assert choices_of(item) == {"rule": {"error": 0.1}, "edits": {}, "terms": {}}
    item = undo_choice(library, item)
    assert choices_of(item)["rule"] == {"error": 0.05}
    with pytest.raises(SettingError, match="nothing to undo"):
        undo_choice(library, item)


def test_what_is_no_change_is_no_step(library, item):
    assert choose(library, item, rule={"error": 0.05}, terms={}).meta == item.meta


def test_the_oldest_steps_are_forgotten(library, item):
    for step in range(MOST_STEPS + 3):
        item = choose(library, item, rule={"error": step / 100})
    assert len(item.meta["past"]) == MOST_STEPS
    for _ in range(MOST_STEPS):
        item = undo_choice(library, item)
    assert item.meta["rule"] == {"error": 0.02}


def test_only_choices_can_be_chosen(library, item):
    with pytest.raises(ValueError, match="palette"):
        choose(library, item, palette={})
