"""How far chance could move a score: bootstrap over cells, or over whole groups such as donors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import binomtest

from scmpt_core.weighted import BATCH, METRICS, weighted_scores

MIN_GROUPS = 5  # of fewer groups a resample says next to nothing, so no interval is given

Tested = tuple[np.ndarray, np.ndarray, np.ndarray]  # cell positions, true codes, predicted codes
TestedTwice = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # …, codes of a, codes of b


@dataclass(frozen=True)
class Interval:
    """Where a number lies, in the number's own unit."""

    low: float
    high: float
    level: float  # the share of such intervals that hold the true value, such as 0.95
    unit: str  # what was resampled: "cells", or the name of the groups, such as "donor"
    n: int  # how many of them

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"an interval from {self.low} to {self.high}")

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> Interval:
        """Back from :meth:`to_json`."""
        return cls(**value)


def wilson(right: int, n: int, level: float = 0.95) -> Interval:
    """Of a share, ``right`` of ``n`` cells (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    It takes cells for independent, which cells of one donor are not.

    Raises
    ------
    ValueError
        There are no cells, or more are right than there are.
    """
    found = binomtest(right, n).proportion_ci(level, method="wilson")
    return Interval(float(found.low), float(found.high), level, "cells", n)


def bootstrap(
    per_split: Sequence[Tested],
    classes: int,
    metric: str,
    replicates: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    groups: np.ndarray | None = None,
    unit: str = "group",
) -> Interval | None:
    """Percentile bootstrap of a score's mean over splits (Efron 1979, doi:10.1214/aos/1176344552).

    Each replicate draws the tested cells, or whole groups of them, with replacement, once for all
    splits: a cell tested in three splits has the same weight in all three. The score of each split
    is then taken again with those weights. A split counts as often as its cells or groups were
    drawn: were each split to count once, a donor that is tested in a split of its own could be in
    or out, but never twice, and the interval would come out too narrow.

    The interval answers "had other cells (donors) been tested", not "had others been trained on".

    Parameters
    ----------
    per_split
        One entry a split: positions of the tested cells (the same cell has the same position in
        every split), true codes, predicted codes, each (tested,).
    metric
        One of ``METRICS``.
    groups
        Names of all cells' groups, (cells,), indexed by those positions; resampled instead of
        cells.
    unit
        What a group is, such as ``"donor"``.

    Returns
    -------
    The interval, or None where fewer than ``MIN_GROUPS`` groups were tested.

    Raises
    ------
    ValueError
        There is no split, a split has no cell, a tested cell's group is unknown (``""``), or an
        argument is not what is described here.
    """
    splits = [(cells, truth, (predicted,)) for cells, truth, predicted in per_split]
    return _bootstrap(splits, classes, metric, replicates, seed, level, groups, unit)


def bootstrap_difference(
    per_split: Sequence[TestedTwice],
    classes: int,
    metric: str,
    replicates: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    groups: np.ndarray | None = None,
    unit: str = "group",
) -> Interval | None:
    """Like :func:`bootstrap`, of the score of ``a`` less that of ``b`` on the same cells.

    Each entry of ``per_split`` holds positions, true codes, codes of a and codes of b. Both are
    scored with the same weights, so what makes a cell hard for both cancels out.
    """
    splits = [(cells, truth, (a, b)) for cells, truth, a, b in per_split]
    return _bootstrap(splits, classes, metric, replicates, seed, level, groups, unit)


def _bootstrap(
    splits: list[tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]],
    classes: int,
    metric: str,
    replicates: int,
    seed: int,
    level: float,
    groups: np.ndarray | None,
    unit: str,
) -> Interval | None:
    """Of the one model's score, or of the first's less the second's."""
    column = METRICS.index(metric)
    if not splits or not all(len(cells) for cells, *_ in splits):
        raise ValueError("a bootstrap needs splits, and each of them cells")
    members, n = _units([cells for cells, *_ in splits], groups)
    if groups is not None and n < MIN_GROUPS:
        return None
    rng = np.random.default_rng(seed)
    step = max(1, BATCH // max(n, *map(len, members)))
    means = []
    for start in range(0, replicates, step):
        weights = _draw(n, min(step, replicates - start), rng)
        total = counted = 0.0
        for units, (_, truth, answers) in zip(members, splits, strict=True):
            mine = weights[units].T  # (replicates, tested)
            first, *second = (weighted_scores(truth, a, mine, classes)[:, column] for a in answers)
            share = weights[np.unique(units)].mean(axis=0)  # 0 where nothing of the split is drawn
            total += share * np.nan_to_num(first - second[0] if second else first)
            counted += share
        means.append(total / counted)
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, "cells" if groups is None else unit, n)


def _units(tested: list[np.ndarray], groups: np.ndarray | None) -> tuple[list[np.ndarray], int]:
    """Of each split the units that its cells belong to, and how many units there are."""
    every = np.unique(np.concatenate(tested))
    names = every if groups is None else groups[every]
    if groups is not None and (names == "").any():
        raise ValueError(f"{(names == '').sum()} tested cells belong to no group")
    distinct, unit = np.unique(names, return_inverse=True)
    return [unit[np.searchsorted(every, cells)] for cells in tested], len(distinct)


def _draw(n: int, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n units comes up in n draws, (n, replicates)."""
    drawn = rng.integers(n, size=(replicates, n))
    drawn = drawn * replicates + np.arange(replicates)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=n * replicates)
    return counts.reshape(n, replicates).astype(np.float64)
