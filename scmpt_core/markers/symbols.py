"""An entry's genes among the genes of the data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scmpt_core.data.genes import ensembl_to_symbol
from scmpt_core.markers.base import MarkerSet
from scmpt_core.markers.renamed import symbol_before


@dataclass(frozen=True)
class MarkerGenes:
    """Which genes of the data an entry lists.

    Parameters
    ----------
    listed_as
        Symbol in the data → symbol in the database; they differ where the data has an old name.
    absent
        Symbols of the entry that the data lacks.
    """

    listed_as: dict[str, str]
    absent: tuple[str, ...]

    def mask(self, genes: np.ndarray) -> np.ndarray:
        """True for the markers among ``genes``, (genes,)."""
        return np.array([str(gene) in self.listed_as for gene in genes], dtype=bool)


def find_markers(entry: MarkerSet, genes: np.ndarray) -> MarkerGenes:
    """Look the entry's genes up by symbol, and by an older symbol where that leaves no doubt.

    Older symbols are those of our table of renamed genes, and the other names that the database
    gives. One counts only where the data lacks the symbol itself, the name is no symbol in use
    today (GENCODE), and no other gene of the entry has it: nicknames such as "CD66" mean several
    genes.

    Parameters
    ----------
    genes
        Symbols of the data, (genes,).
    """
    there = {str(gene) for gene in genes}
    listed_as = {symbol: symbol for symbol in entry.genes if symbol in there}
    missing = [symbol for symbol in entry.genes if symbol not in there]
    in_use = _symbols_in_use()
    names = {symbol: _other_names(entry, symbol) for symbol in entry.genes}
    owners = Counter(name for others in names.values() for name in others)
    absent = []
    for symbol in missing:
        old = [n for n in names[symbol] if n in there and n not in in_use and owners[n] == 1]
        if len(old) == 1:
            listed_as[old[0]] = symbol
        else:
            absent.append(symbol)
    return MarkerGenes(listed_as, tuple(absent))


def _other_names(entry: MarkerSet, symbol: str) -> set[str]:
    before = symbol_before().get(symbol)
    return {*entry.genes[symbol].also, *([before] if before else [])}


@lru_cache
def _symbols_in_use() -> frozenset[str]:
    return frozenset(ensembl_to_symbol().values())
