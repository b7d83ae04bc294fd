"""Looking at the first split's test cells: what a threshold costs, mistakes, who is right."""

from __future__ import annotations

import numpy as np

from scmpt_core.calibration import risk_curve
from scmpt_core.data import PARTS
from scmpt_core.evaluation.stored import StoredComparison

TEST = PARTS.index("test")


def cells_tested(result: StoredComparison) -> np.ndarray:
    """Positions of the first split's test cells, rising; all of them have a usable label."""
    return np.flatnonzero((result.part == TEST) & (result.truth >= 0))


def right_names(a: str, b: str) -> tuple[str, ...]:
    """The four things that two models can be on a cell."""
    return (f"only {a} is right", f"only {b} is right", "both are right", "neither is right")


def who_is_right(truth: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Position in :func:`right_names` of each cell, (cells,); −1 where no label says who is.

    Parameters
    ----------
    truth, a, b
        Class codes, (cells,); the truth is −1 where there is no usable label.
    """
    right_a, right_b = a == truth, b == truth
    out = np.select([right_a & ~right_b, right_b & ~right_a, right_a & right_b], [0, 1, 2], 3)
    return np.where(truth < 0, -1, out)


def mistakes(result: StoredComparison, model: str) -> np.ndarray:
    """Positions of the test cells that ``model`` labels wrongly, the surest first."""
    test = cells_tested(result)
    wrong = test[result.truth[test] != result.predicted[model][test]]
    return wrong[np.argsort(-result.probability[model][wrong], kind="stable")]


def threshold_costs(
    result: StoredComparison, model: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """:func:`risk_curve` of ``model``'s probability on the first split's test cells."""
    test = cells_tested(result)
    right = result.predicted[model][test] == result.truth[test]
    return risk_curve(result.probability[model][test], right)
