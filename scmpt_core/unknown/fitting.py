"""Fitting all detectors to some cells, and judging cells by fits that have not seen them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.unknown.base import Context, FittedDetector
from scmpt_core.unknown.components import component_scores
from scmpt_core.unknown.registry import DETECTORS

FOLDS = 10


@dataclass(frozen=True, eq=False)
class Sample:
    """All cells that detectors are fitted to and calibrated on.

    Parameters
    ----------
    codes
        Class of each cell, (cells,).
    vectors
        Encoder → embeddings, (cells, dimension).
    """

    cells: Cells
    codes: np.ndarray
    vectors: dict[str, np.ndarray]
    seed: int

    def context(self, rows: np.ndarray, pca: PCAEncoder) -> Context:
        """What the detectors see of ``rows``."""
        some = self.cells.take(rows)
        vectors = {name: x[rows] for name, x in self.vectors.items()}
        return Context(some, component_scores(pca, some), vectors)

    def fit(
        self, train: np.ndarray, pca: PCAEncoder
    ) -> tuple[dict[str, FittedDetector], dict[str, str]]:
        """Name → fitted detector, and name → what it lacks."""
        context = self.context(train, pca)
        codes = np.unique(self.codes[train], return_inverse=True)[1]  # none of them empty
        lacks = {info.name: info.lacks(context, codes) for info in DETECTORS}
        fitted = {
            info.name: info.fit(context, codes, self.seed)
            for info in DETECTORS
            if not lacks[info.name]
        }
        return fitted, {name: what for name, what in lacks.items() if what}

    def out_of_fold(self, train: np.ndarray, names: tuple[str, ...]) -> Iterator[np.ndarray]:
        """Scores of the training cells by fits without them, a fold at a time.

        Cells whose type the other folds lack are left out: to those fits it is not known. So is
        a fold without which a detector cannot be fitted.
        """
        fold = _folds(self.codes[train], self.seed)
        for k in np.unique(fold):
            rest, held = train[fold != k], train[fold == k]
            held = held[np.isin(self.codes[held], self.codes[rest])]
            pca = PCAEncoder(get_spec("pca").info).fit(self.cells.take(rest))
            detectors = self.fit(rest, pca)[0]
            if set(names) <= set(detectors):
                yield scores_of({n: detectors[n] for n in names}, self.context(held, pca))


def _folds(codes: np.ndarray, seed: int) -> np.ndarray:
    """A fold of each cell, (cells,): the cells of each code in turn."""
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    fold = np.empty(len(codes), dtype=np.int64)
    fold[order] = np.arange(len(codes)) % FOLDS
    return fold


def scores_of(detectors: dict[str, FittedDetector], context: Context) -> np.ndarray:
    """What each detector says, (cells, detectors)."""
    if not len(context.cells):
        return np.zeros((0, len(detectors)))
    return np.stack([detector.score(context) for detector in detectors.values()], axis=1)
