"""Scores with cells counted by weight: the arithmetic under resampling and permutation."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

METRICS = ("accuracy", "macro_f1")  # the columns of weighted_scores
BATCH = 4_000_000  # weights held at once: 32 MB


def weighted_scores(
    truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray, classes: int
) -> np.ndarray:
    """Accuracy and macro F1, the cells counted with many sets of weights at once.

    Parameters
    ----------
    truth, predicted
        Class codes, (cells,), 0 … ``classes`` − 1.
    weights
        At least 0, (replicates, cells). Weight 2 counts a cell twice.

    Returns
    -------
    (replicates, 2), in the order of ``METRICS``; 0…1, higher is better. Macro F1 is the mean over
    the classes whose true cells have weight. Weights that are all 0 give NaN.

    Raises
    ------
    ValueError
        The lengths differ, or a code is not one of the classes.
    """
    check_codes(classes, truth, predicted)
    if weights.ndim != 2 or weights.shape[1] != len(truth):
        raise ValueError(f"weights are {weights.shape}, there are {len(truth)} cells")
    selector = _selector(truth, predicted, classes)
    step = max(1, BATCH // max(1, len(truth)))
    chunks = [weights[i : i + step].T for i in range(0, len(weights), step)]
    return np.concatenate([np.empty((0, 2)), *(_scores(selector, c, classes).T for c in chunks)])


def check_codes(classes: int, *codes: np.ndarray) -> None:
    """Raise ValueError unless all are alike long and hold class codes."""
    lengths = [len(c) for c in codes]
    if len(set(lengths)) != 1:
        raise ValueError(f"numbers of cells differ: {lengths}")
    for c in codes:
        if len(c) and not (c.min() >= 0 and c.max() < classes):
            raise ValueError(f"codes {c.min()} … {c.max()}, but there are {classes} classes")


def _selector(truth: np.ndarray, predicted: np.ndarray, classes: int) -> sp.csr_matrix:
    """Sum cells to true, predicted and rightly predicted weight a class: (3 classes, cells)."""
    cells = np.arange(len(truth))
    right = cells[truth == predicted]
    rows = np.concatenate([truth, classes + predicted, 2 * classes + truth[right]])
    columns = np.concatenate([cells, cells, right])
    return sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(3 * classes, len(truth)))


def _scores(selector: sp.csr_matrix, weights: np.ndarray, classes: int) -> np.ndarray:
    """Weights (cells, replicates) → (2, replicates)."""
    sums = selector @ weights.astype(np.float64, copy=False)  # (3 classes, replicates)
    true, predicted, right = sums.reshape(3, classes, -1)
    return np.stack([_ratio(right.sum(axis=0), true.sum(axis=0)), macro_f1(true, predicted, right)])


def macro_f1(true: np.ndarray, predicted: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes with true cells; sums a class, each (classes, replicates)."""
    f1 = np.divide(2 * right, true + predicted, out=np.zeros_like(right), where=true > 0)
    return _ratio(f1.sum(axis=0), (true > 0).sum(axis=0))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
