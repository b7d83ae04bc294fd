"""Rows of a table that are of one species, as a column says in words."""

from __future__ import annotations

import re
from collections import Counter
from typing import TypeVar

WORDS = {
    "Hs": re.compile(r"(?i)\b(human|hs|h(omo)?[. _]*sapiens|9606)\b"),
    "Mm": re.compile(r"(?i)\b(mouse|mm|m(us)?[. _]*musculus|10090)\b"),
}
Row = TypeVar("Row", dict[str, str], list[str])


def of_species(
    rows: list[tuple[int, Row]], column: str | int, species: str
) -> tuple[list[tuple[int, Row]], tuple[str, ...]]:
    """The rows whose ``column`` names the species, and a note where others were left out.

    Parameters
    ----------
    rows
        Number of the line and its cells.
    species
        ``Hs`` or ``Mm``.
    """
    counts = Counter(row[column] for _, row in rows)
    wanted = {text for text in counts if WORDS[species].search(text)}
    others = ", ".join(f"{text!r} {n:,}×" for text, n in counts.most_common() if text not in wanted)
    kept = [(number, row) for number, row in rows if row[column] in wanted]
    if not others:
        return kept, ()
    return kept, (f"{len(rows) - len(kept):,} rows left out: their species is {others}",)
