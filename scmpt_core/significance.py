"""Is one model better than another on the same cells? Paired tests of one split.

Answers to the same cells in several splits are not independent, so each split is tested by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import scipy.sparse as sp
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from scmpt_core.weighted import BATCH, check_codes, macro_f1

ROUNDING = 1e-12  # sums of the same numbers in another order differ by less


@dataclass(frozen=True)
class PairedTest:
    """Two models on the same cells."""

    name: str
    difference: float  # score of a less score of b, −1…1
    p: float  # two-sided: how often chance alone gives a difference as large
    n: int  # of units
    unit: str  # what is exchangeable: "cells", or the name of the groups, such as "donor"

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> PairedTest:
        """Back from :meth:`to_json`."""
        return cls(**value)


def mcnemar(truth: np.ndarray, a: np.ndarray, b: np.ndarray) -> PairedTest:
    """McNemar's exact test of accuracy (McNemar 1947, doi:10.1007/BF02295996).

    Of the cells that only one model names rightly, each has an even chance to be a's under the
    null. It takes cells for independent, which cells of one donor are not.

    Parameters
    ----------
    truth, a, b
        Class codes, (cells,).

    Raises
    ------
    ValueError
        There are no cells, or the lengths differ.
    """
    if not len(truth) or not len(truth) == len(a) == len(b):
        raise ValueError(f"{len(truth)} true labels, {len(a)} and {len(b)} predicted")
    only_a = int(((a == truth) & (b != truth)).sum())
    only_b = int(((b == truth) & (a != truth)).sum())
    discordant = only_a + only_b
    p = binomtest(only_a, discordant).pvalue if discordant else 1.0
    difference = (only_a - only_b) / len(truth)
    return PairedTest("McNemar, accuracy", difference, float(p), len(truth), "cells")


def permutation_macro_f1(
    truth: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    classes: int,
    permutations: int = 2000,
    seed: int = 0,
    groups: np.ndarray | None = None,
    unit: str = "group",
) -> PairedTest:
    """Paired permutation test of macro F1: under the null, the two models' answers can be swapped.

    Answers are swapped cell by cell, or in whole groups. With m random permutations of which c
    reach the difference found, p = (1 + c) / (1 + m) (Phipson and Smyth 2010,
    doi:10.2202/1544-6115.1585). Where no more than ``permutations`` ways exist to swap the units
    in which the models differ, all are tried and p is the exact share.

    Parameters
    ----------
    truth, a, b
        Class codes, (cells,), 0 … ``classes`` − 1.
    groups
        Names of these cells' groups, (cells,). G groups cannot give a p below 2 ** (1 − G).
    unit
        What a group is, such as ``"donor"``.

    Raises
    ------
    ValueError
        There are no cells, the lengths differ, or a code is not one of the classes.
    """
    check_codes(classes, truth, a, b)
    if not len(truth) or (groups is not None and len(groups) != len(truth)):
        raise ValueError(f"{len(truth)} cells, groups of {0 if groups is None else len(groups)}")
    names = np.arange(len(truth)) if groups is None else groups
    moves = _moves(truth, a, b, names, classes)
    start = [np.bincount(codes, minlength=classes) for codes in (truth, a, b)]
    right = [np.bincount(truth[codes == truth], minlength=classes) for codes in (a, b)]

    def difference(swaps: np.ndarray) -> np.ndarray:
        moved = moves @ swaps.astype(np.float64)  # (2 classes, permutations)
        hits, answers = moved[:classes], moved[classes:]
        true = start[0][:, None]
        first = macro_f1(true, start[1][:, None] + answers, right[0][:, None] + hits)
        return first - macro_f1(true, start[2][:, None] - answers, right[1][:, None] - hits)

    found = float(difference(np.zeros((moves.shape[1], 1)))[0])
    reached = tried = 0
    exact = 2 ** moves.shape[1] <= permutations
    for swaps in _swaps(moves.shape[1], permutations, exact, seed):
        reached += int((np.abs(difference(swaps)) >= abs(found) - ROUNDING).sum())
        tried += swaps.shape[1]
    p = reached / tried if exact else (1 + reached) / (1 + tried)
    n = len(np.unique(names))
    kind = "cells" if groups is None else unit
    return PairedTest("permutation, macro F1", found, p, n, kind)


def _moves(
    truth: np.ndarray, a: np.ndarray, b: np.ndarray, names: np.ndarray, classes: int
) -> sp.csr_matrix:
    """What swapping one unit adds to a's right and all answers a class, and takes from b's.

    (2 classes, units); only units in which the models differ, as the others change nothing.
    """
    differ = np.flatnonzero(a != b)
    distinct, unit = np.unique(names[differ], return_inverse=True)
    truth, a, b = truth[differ], a[differ], b[differ]
    rows = np.concatenate([truth, truth, classes + b, classes + a])
    ones = np.ones(len(differ))
    signs = np.concatenate([ones * (b == truth), -ones * (a == truth), ones, -ones])
    shape = (2 * classes, len(distinct))
    return sp.csr_matrix((signs, (rows, np.tile(unit, 4))), shape=shape)


def _swaps(units: int, permutations: int, exact: bool, seed: int) -> Iterator[np.ndarray]:
    """Batches of (units, permutations), 1 where a unit is swapped."""
    if exact:
        yield (np.arange(2**units) >> np.arange(units)[:, None]) & 1
        return
    rng = np.random.default_rng(seed)
    step = max(1, BATCH // units)
    for start in range(0, permutations, step):
        yield rng.integers(2, size=(units, min(step, permutations - start)), dtype=np.int8)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Adjust p values, (tests,), for being several (Holm 1979, Scand. J. Statist. 6, 65).

    Whoever rejects where the adjusted p is at most α errs at all with a chance of at most α.
    """
    if not len(p_values):
        return np.empty(0)
    return multipletests(p_values, method="holm")[1]
