"""Genes by score and by expression: the top, and bins of genes that are expressed alike."""

from __future__ import annotations

import numpy as np


def top_positive(
    scores: np.ndarray, seen: np.ndarray, k: int, ranks: np.ndarray | None = None
) -> np.ndarray:
    """Positions of at most ``k`` genes seen with the highest positive scores, the best first.

    Of equal scores, the one with the lower rank, then the earlier.
    """
    candidates = np.flatnonzero(np.asarray(seen, bool) & (np.asarray(scores) > 0))
    ties = np.zeros(len(scores)) if ranks is None else np.asarray(ranks, float)
    return candidates[np.lexsort((ties[candidates], -np.asarray(scores)[candidates]))][:k]


def expression_bins(ranks: np.ndarray, seen: np.ndarray, at_least: int) -> np.ndarray:
    """Bin of each gene seen, (genes,), from 0 at the lowest rank; −1 for all others.

    A bin is closed at ``at_least`` genes; genes of equal rank are kept together, and what is left
    at the end, too few for a bin, joins the last. Fewer genes than ``at_least`` are one bin.
    """
    positions = np.flatnonzero(seen)
    order = positions[np.argsort(np.asarray(ranks)[positions], kind="stable")]
    values = np.asarray(ranks)[order]
    n = len(order)
    ends = np.append(np.flatnonzero(np.diff(values)) + 1, n)  # where a group of equals ends
    edges = [0]
    while n - edges[-1] >= 2 * at_least:
        end = int(ends[np.searchsorted(ends, edges[-1] + at_least)])
        if n - end < at_least:
            break
        edges.append(end)
    bins = np.full(len(ranks), -1)
    bins[order] = np.searchsorted(edges, np.arange(n), side="right") - 1
    return bins


def check_lengths(scores: np.ndarray, *others: np.ndarray) -> None:
    """Raise ValueError unless all are alike long and the scores finite."""
    lengths = [len(scores), *map(len, others)]
    if len(set(lengths)) != 1:
        raise ValueError(f"numbers of genes differ: {lengths}")
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite")
