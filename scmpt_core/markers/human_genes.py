"""Gene symbols of the human out of what a table holds, and what is to be said of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable

from scmpt_core.data.genes import ENSEMBL, ensembl_to_symbol, human_symbols, mouse_symbols
from scmpt_core.markers.renamed import symbol_today
from scmpt_core.wording import few

SEPARATORS = re.compile(r"[\s,;|]+")  # a cell may hold several genes
MOUSE_ID = re.compile(r"ENSMUSG\d{11}(\.\d+)?")
MONTHS = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)"
DATE = re.compile(rf"(?i)\d{{1,2}}[-. ]{MONTHS}|{MONTHS}[-. ]\d{{1,2}}|\d{{4}}-\d\d-\d\d.*")


def human_symbol(name: str) -> str | None:
    """The symbol that ``name`` means; ``None`` where it is none of the human.

    Current symbols (GENCODE) come first, then those that HGNC gave up since and Ensembl ids, then
    the older ones that scGPT's vocabulary knows.
    """
    if identifier := ENSEMBL.match(name):
        return ensembl_to_symbol().get(identifier.group(1))
    today = symbol_today().get(name, name)
    return today if today in human_symbols() else None


def is_mouse(name: str) -> bool:
    """Whether it is a symbol of the mouse alone, as "Cd3d", or one of its Ensembl ids."""
    known = name in mouse_symbols() and human_symbol(name) is None
    return known or MOUSE_ID.fullmatch(name) is not None


class GeneReader:
    """Reads the genes of cells, each once, and keeps what a note has to say of them."""

    def __init__(self) -> None:
        self._symbols: dict[str, str | None] = {}  # as written → symbol, None: none of the human
        self._cells: dict[str, tuple[str, ...]] = {}

    def genes(self, cell: str) -> tuple[str, ...]:
        """Symbols of the human in the cell."""
        found = self._cells.get(cell)
        if found is None:
            names = [name for name in SEPARATORS.split(cell) if name]
            for name in names:
                if name not in self._symbols:
                    self._symbols[name] = human_symbol(name)
            symbols = map(self._symbols.__getitem__, names)
            found = self._cells[cell] = tuple(symbol for symbol in symbols if symbol is not None)
        return found

    def notes(self) -> tuple[str, ...]:
        """What was left out and what was read as another symbol, in words."""
        out = [name for name, symbol in self._symbols.items() if symbol is None]
        dates = [name for name in out if DATE.fullmatch(name)]
        mouse = [name for name in out if name not in dates and is_mouse(name)]
        rest = [name for name in out if name not in {*dates, *mouse}]
        other = {n: s for n, s in self._symbols.items() if s is not None and s != n}
        ids = [n for n in other if ENSEMBL.match(n)]
        return (
            *self._told(rest, "no human symbol and left out"),
            *self._told(mouse, "symbols of the mouse and left out"),
            *self._told(
                dates,
                "dates that a spreadsheet made of genes and left out",
                " (write the symbol of today, as MARCHF1 for March 1 and SEPTIN2 for September 2)",
            ),
            *self._told(ids, "Ensembl ids, read as their symbols"),
            *self._told(
                [f"{n} as {s}" for n, s in other.items() if n not in ids],
                "old symbols, read as those of today",
            ),
        )

    def _told(self, names: Iterable[str], what: str, more: str = "") -> tuple[str, ...]:
        names = [name if name.isprintable() else repr(name) for name in names]
        if not names:
            return ()
        of = len(self._symbols)
        return (f"{len(names):,} of {of:,} genes are {what}: {few(names)}{more}",)
