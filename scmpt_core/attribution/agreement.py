"""How alike two rankings of genes are."""

from __future__ import annotations

import numpy as np

from scmpt_core.markers.order import top_positive


def ranking(scores: np.ndarray) -> np.ndarray:
    """Positions of the genes with a positive score, the highest first; equals by position."""
    return top_positive(scores, np.ones(len(scores), bool), len(scores))


def jaccard(a: np.ndarray, b: np.ndarray, k: int) -> float:
    """Shared ÷ all of the two top ``k``, of scores (genes,); NaN where neither has a gene."""
    first, second = set(ranking(a)[:k].tolist()), set(ranking(b)[:k].tolist())
    union = first | second
    return len(first & second) / len(union) if union else float("nan")


def rank_biased_overlap(a: np.ndarray, b: np.ndarray, p: float = 0.9, depth: int = 100) -> float:
    """Rank-biased overlap, extrapolated (Webber et al. 2010, doi:10.1145/1852102.1852106, eq. 32).

    1 for the same order, 0 for nothing shared; the first 10 genes hold about 86 % of the weight
    at ``p`` 0.9. NaN where either has no gene with a positive score.

    Parameters
    ----------
    depth
        How far the rankings are read, at most.

    Raises
    ------
    ValueError
        ``p`` is not between 0 and 1.
    """
    if not 0 < p < 1:
        raise ValueError(f"p is {p}")
    first, second = ranking(a)[:depth].tolist(), ranking(b)[:depth].tolist()
    if len(first) > len(second):
        first, second = second, first
    short, long = len(first), len(second)
    if not short:
        return float("nan")
    shared = np.array(
        [len(set(first[:d]) & set(second[:d])) for d in range(1, long + 1)], dtype=float
    )
    d = np.arange(1, long + 1)
    weighted = (shared / d * p**d).sum()
    beyond = d[short:]  # the shorter ranking has ended: it goes on as it agreed so far
    uneven = (shared[short - 1] * (beyond - short) / (short * beyond) * p**beyond).sum()
    tail = (shared[-1] - shared[short - 1]) / long + shared[short - 1] / short
    return float((1 - p) / p * (weighted + uneven) + tail * p**long)
