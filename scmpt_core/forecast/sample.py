"""The few hundred cells that a forecast is made from, and their vectors without a look ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.conformal import cell_draws
from scmpt_core.data import MIN_CLASS
from scmpt_core.encoders import Encoder
from scmpt_core.errors import SettingError
from scmpt_core.fusion import Task, fit_encoders
from scmpt_core.fusion.logistic import folds_of
from scmpt_core.progress import Progress, part, silent

CELLS = 300  # a forecast's sample unless told otherwise
FEWEST = 50
Encode = Callable[[Encoder, Cells, Progress], np.ndarray]


@dataclass(frozen=True, eq=False)
class Sample:
    """Labelled cells, their folds and their vectors by each encoder.

    Parameters
    ----------
    codes, folds
        Class and fold of each cell, (cells,); whole groups lie in one fold.
    groups
        Name of each cell's group, (cells,), or ``None``.
    whole
        Encoder → (cells, dimension); those that are fitted, fitted to all these cells.
    held
        One such mapping a fold: those that are fitted, fitted to the cells of the other folds.
    """

    codes: np.ndarray
    classes: int
    folds: np.ndarray
    groups: np.ndarray | None
    whole: dict[str, np.ndarray]
    held: tuple[dict[str, np.ndarray], ...]

    def __post_init__(self) -> None:
        if len(self.held) != self.folds.max() + 1:
            raise ValueError(f"vectors of {len(self.held)} folds, cells of {self.folds.max() + 1}")
        for vectors in (self.whole, *self.held):
            if list(vectors) != self.encoders or {len(x) for x in vectors.values()} != {len(self)}:
                raise ValueError("each encoder has a vector of each cell, in each fold")

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def encoders(self) -> list[str]:
        """Their names."""
        return list(self.whole)

    @classmethod
    def of(
        cls, task: Task, rows: np.ndarray, encoders: dict[str, Encoder],
        vectors: dict[str, np.ndarray], seed: int, encode: Encode, progress: Progress = silent,
    ) -> Sample:  # fmt: skip
        """Fit the encoders that are fitted, on each fold anew.

        Parameters
        ----------
        rows
            As :func:`draw` gives them.
        vectors
            Of the frozen encoders, for these rows.
        encode
            How a fitted encoder gets its vectors, such as :meth:`EmbeddingStore.get`.
        """
        codes = task.codes[rows]
        groups = None if task.groups is None else task.groups[rows]
        folds = folds_of(codes, groups, seed)
        cells = task.cells.take(rows)

        n = folds.max() + 1

        def seen(fold: int) -> dict[str, np.ndarray]:  # by fits to the others; n is no fold
            fitted = fit_encoders(encoders, cells, np.flatnonzero(folds != fold))
            step = part(progress, fold / (n + 1), (fold + 1) / (n + 1))
            return {
                name: encode(e, cells, step) if e.info.fitted else vectors[name]
                for name, e in fitted.items()
            }

        held = tuple(seen(fold) for fold in range(n))
        return cls(codes, len(task.classes), folds, groups, seen(n), held)


def draw(codes: np.ndarray, ids: np.ndarray, cells: int, seed: int) -> np.ndarray:
    """Positions of about ``cells`` labelled cells, (drawn,), each class in its share.

    Of a class at least 10 are taken, or all there are: many classes make more than ``cells``. A
    cell is drawn by its id, so the same cells come, in the same order, however the file is sorted.

    Raises
    ------
    SettingError
        Fewer than 50 cells are asked for.
    """
    if cells < FEWEST:
        raise SettingError(
            f"A forecast from {cells} cells was asked for.", f"Give {FEWEST} or more."
        )
    draws = cell_draws(ids, seed)
    labelled = np.flatnonzero(codes >= 0)
    share = min(1.0, cells / max(len(labelled), 1))
    taken = []
    for code in np.unique(codes[labelled]):
        mine = labelled[codes[labelled] == code]
        count = min(len(mine), max(MIN_CLASS, round(share * len(mine))))
        taken.append(mine[np.argsort(draws[mine], kind="stable")[:count]])
    rows = np.concatenate(taken)
    return rows[np.argsort(draws[rows], kind="stable")]
