"""Choices on labelled cells (rule, names of clusters, terms), kept with the item; can be undone."""

from __future__ import annotations

from scmpt_core.errors import SettingError
from scmpt_core.library.items import Item, Library

CHOICES = ("rule", "edits", "terms")
MOST_STEPS = 50  # that can be undone


def choices_of(item: Item) -> dict[str, dict]:
    """What is chosen now, by the names of ``CHOICES``."""
    return {name: item.meta.get(name, {}) for name in CHOICES}


def choose(library: Library, item: Item, **changes: dict) -> Item:
    """Choose anew; what is not a change is no step.

    Parameters
    ----------
    changes
        Some of ``CHOICES``, as JSON objects.
    """
    if unknown := set(changes) - set(CHOICES):
        raise ValueError(f"no such choice: {sorted(unknown)}")
    now = choices_of(item)
    if now | changes == now:
        return item
    past = [*item.meta.get("past", []), now][-MOST_STEPS:]
    return library.update(item.owner, item.kind, item.id, past=past, **changes)


def undo_choice(library: Library, item: Item) -> Item:
    """Back to what was chosen before the last change.

    Raises
    ------
    SettingError
        There is nothing to undo.
    """
    past = item.meta.get("past", [])
    if not past:
        raise SettingError("There is nothing to undo.", "")
    return library.update(item.owner, item.kind, item.id, past=past[:-1], **past[-1])
