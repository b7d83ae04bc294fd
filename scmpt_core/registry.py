"""Looking something up by name in a registry, which is a plain list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from scmpt_core.errors import SettingError


class Named(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str:
        """By which a user asks for it."""


Entry = TypeVar("Entry", bound=Named)


def find(entries: Iterable[Entry], name: str, what: str) -> Entry:
    """The entry called ``name``.

    Raises
    ------
    SettingError
        There is none; the message lists those that there are. ``what`` says what they are.
    """
    known = list(entries)
    for entry in known:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in known)
    raise SettingError(f"There is no {what} {name!r}; there are: {names}.", "Name one of these.")
