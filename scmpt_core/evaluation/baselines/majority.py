"""The share of each class in training, for every cell alike: what knowing no gene gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.evaluation.baselines.base import BaselineInfo, present_classes


@dataclass(frozen=True, eq=False)
class Majority:
    """Its most probable class is the largest of the training cells."""

    shares: np.ndarray  # (classes,) float32, sum 1

    def proba(self, cells: Cells) -> np.ndarray:
        """The shares, once a cell, (cells, classes)."""
        return np.tile(self.shares, (len(cells), 1))


def fit_majority(train: Cells, codes: np.ndarray, classes: int, seed: int = 0) -> Majority:
    """Count the classes; nothing is random.

    Raises
    ------
    ValueError
        Cells, codes and classes do not fit each other.
    """
    present_classes(train, codes, classes)
    return Majority((np.bincount(codes, minlength=classes) / len(codes)).astype(np.float32))


MAJORITY = BaselineInfo(
    name="majority",
    summary="the share of each class in training, for every cell alike",
    reference="none: the floor that a classifier has to beat",
    licence="MIT (scMPT)",
    fit=fit_majority,
)
