"""What a sentence format is: it puts a cell's genes, and words of its own, in a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scmpt_core.cells import Cells


@dataclass(frozen=True)
class FormatInfo:
    """The metadata record of a format.

    Parameters
    ----------
    make
        The format, out of the free text that a user may give; an unfitted one where it is fitted.
    fitted
        It is fitted to cells before it arranges others.
    levels
        It gathers genes in levels: then a gene that is not read may still have a say in which
        others are.
    ready
        Whether what it needs is on this machine.
    version
        Raised when a change alters any of its sentences: stored embeddings depend on it.
    """

    name: str
    title: str
    summary: str
    reference: str
    make: Callable[[str], Format]
    fitted: bool = False
    levels: bool = False
    ready: Callable[[], bool] = lambda: True
    version: int = 1


@dataclass(frozen=True, eq=False)
class Words:
    """Ragged words of many cells.

    Parameters
    ----------
    indptr
        (cells + 1,)
    words
        (words,) int64. Below the number of genes: that column of the cells. From there on: the
        format's literal of the number that is left.
    """

    indptr: np.ndarray
    words: np.ndarray

    def of(self, cell: int) -> np.ndarray:
        """Words of one cell, in order."""
        return self.words[self.indptr[cell] : self.indptr[cell + 1]]


class Format(ABC):
    """A way to write a cell; joined by spaces, its words are the sentence.

    Parameters
    ----------
    info
        Its record.
    literals
        Words that are no genes.
    """

    def __init__(self, info: FormatInfo, literals: tuple[str, ...] = ()) -> None:
        self.info, self.literals = info, literals

    @abstractmethod
    def arrange(self, cells: Cells) -> Words:
        """The words of each cell; a cell's do not depend on its neighbours."""

    def spell(self, genes: np.ndarray) -> list[str]:
        """How each gene is written."""
        return [str(gene) for gene in genes]

    def identity(self) -> str | dict:
        """All that its sentences depend on besides the cells, as JSON."""
        return {"format": self.info.name, "version": self.info.version}

    def fit(self, cells: Cells) -> Format:
        """The format fitted to ``cells``; those that are not fitted as they are."""
        return self

    def state(self) -> dict[str, np.ndarray]:
        """What a fit consists of, besides the genes."""
        return {}

    def restore(self, genes: np.ndarray, state: dict[str, np.ndarray]) -> Format:
        """The format with a saved fit.

        Raises
        ------
        ValueError
            The arrays are no such fit.
        """
        return self
