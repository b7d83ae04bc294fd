"""Numbers and lists in words, the same in pages, on the command line and in notes."""

from __future__ import annotations

from collections.abc import Iterable


def amount(n: int, what: str) -> str:
    """A number of things: "1 cell", "2,000 cells"."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def few(names: Iterable[str], most: int = 5) -> str:
    """The first ones, and how many more: "a, b, c, d, e and 12 more"."""
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
