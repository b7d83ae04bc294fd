"""What a detector of strange cells is, and what all of them see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scmpt_core.cells import Cells

State = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Context:
    """Cells as the detectors see them.

    Parameters
    ----------
    pcs
        Scores on the principal components of the training cells, (cells, components).
    vectors
        Encoder → embeddings, (cells, dimension).

    Raises
    ------
    ValueError
        The parts are not of the same cells.
    """

    cells: Cells
    pcs: np.ndarray
    vectors: dict[str, np.ndarray]

    def __post_init__(self) -> None:
        lengths = {"pcs": len(self.pcs)} | {name: len(x) for name, x in self.vectors.items()}
        wrong = {name: n for name, n in lengths.items() if n != len(self.cells)}
        if wrong:
            raise ValueError(f"{len(self.cells)} cells, but {wrong}")


class FittedDetector(Protocol):
    """Fitted to training cells."""

    def score(self, context: Context) -> np.ndarray:
        """How strange each cell is, (cells,) float64, finite; higher is stranger.

        Only the order of cells and distances between scores mean something: what is much is told
        from cells of known types.
        """

    def state(self) -> State:
        """All that it learnt, as arrays."""


@dataclass(frozen=True)
class DetectorInfo:
    """The metadata record of a detector.

    Parameters
    ----------
    summary
        What makes a cell strange to it, to follow "the cell".
    lacks
        ``lacks(train, codes)``: what it would need and these cells do not give, ``""`` if nothing.
    fit
        ``fit(train, codes, seed)``: training cells, the code of each, (cells,), 0 … classes − 1
        with none empty, and the seed of what is random.
    restore
        ``restore(state, genes)``: back from :meth:`FittedDetector.state` and the symbols of the
        training cells.
    """

    name: str
    summary: str
    reference: str
    lacks: Callable[[Context, np.ndarray], str]
    fit: Callable[[Context, np.ndarray, int], FittedDetector]
    restore: Callable[[State, np.ndarray], FittedDetector]


def nothing(_train: Context, _codes: np.ndarray) -> str:
    """``lacks`` of a detector that works on any training cells."""
    return ""


def class_means(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Mean of ``x``, (cells, features), over the cells of each code, (classes, features)."""
    sums = np.zeros((codes.max() + 1, x.shape[1]))
    np.add.at(sums, codes, x)
    return sums / np.bincount(codes)[:, None]
