"""What a baseline is, and what all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from scmpt_core.cells import Cells


class FittedBaseline(Protocol):
    """Fitted to training cells."""

    def proba(self, cells: Cells) -> np.ndarray:
        """Probability of each class, (cells, classes) float32, rows sum to 1.

        The genes may be others, in another order: they are found by symbol, and one that
        ``cells`` lack counts as not expressed. Classes without a training cell have 0.
        """


@dataclass(frozen=True)
class BaselineInfo:
    """The metadata record of a baseline.

    Parameters
    ----------
    fit
        ``fit(train, codes, classes, seed)``: training cells, the class code 0 … classes − 1 of
        each, (cells,), the number of classes, and the seed of what is random.
    """

    name: str
    summary: str
    reference: str
    licence: str
    fit: Callable[[Cells, np.ndarray, int, int], FittedBaseline]


def present_classes(cells: Cells, codes: np.ndarray, classes: int) -> np.ndarray:
    """Codes of the classes that the training cells hold, rising.

    Raises
    ------
    ValueError
        There are no cells, not one code a cell, or a code that is no class.
    """
    if not len(cells) or len(codes) != len(cells):
        raise ValueError(f"{len(codes)} codes for {len(cells)} cells")
    present = np.unique(codes)
    if present[0] < 0 or present[-1] >= classes:
        raise ValueError(f"codes {present[0]} … {present[-1]} of {classes} classes")
    return present


def aligned(cells: Cells, genes: np.ndarray) -> Cells:
    """The same cells on ``genes``, in that order; a gene that they lack is 0 in all of them."""
    place = {gene: i for i, gene in enumerate(cells.genes)}
    theirs = np.array([place.get(gene, -1) for gene in genes], dtype=np.int64)
    shared = np.flatnonzero(theirs >= 0)
    ones = np.ones(len(shared), np.float32)
    move = sp.csr_matrix((ones, (theirs[shared], shared)), shape=(len(cells.genes), len(genes)))
    expression = sp.csr_matrix(cells.expression @ move)
    expression.sort_indices()  # the same sums, to the bit, whatever order the genes came in
    return replace(cells, expression=expression, genes=genes, counts=None)


def spread(proba: np.ndarray, present: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities of the present classes, (cells, present), among all, (cells, classes)."""
    out = np.zeros((len(proba), classes), dtype=np.float32)
    out[:, present] = proba / proba.sum(axis=1, keepdims=True)
    return out
