"""Precision against k, and a type's markers by what their scores say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scmpt_core.markers.order import check_lengths, top_positive


def precision_at_k(
    scores: np.ndarray, markers: np.ndarray, seen: np.ndarray, ks: Sequence[int]
) -> np.ndarray:
    """Share of markers among the top k positive scores of the genes seen, (ks,), 0…1.

    NaN where fewer than k genes have a positive score: there the curve ends.

    Raises
    ------
    ValueError
        Lengths differ, a score is not finite, or a k is below 1.
    """
    check_lengths(scores, markers, seen)
    ks = np.asarray(ks, dtype=np.int64)
    if len(ks) and ks.min() < 1:
        raise ValueError(f"k is {ks.min()}, it must be at least 1")
    top = top_positive(scores, seen, int(ks.max(initial=0)))
    hits = np.append(0, np.cumsum(np.asarray(markers, bool)[top]))  # (1 + used,)
    reached = np.where(ks < len(hits), ks, 0)
    return np.where(reached > 0, hits[reached] / ks, np.nan)


@dataclass(frozen=True)
class Markers:
    """A type's markers in the data, those with the strongest scores first.

    Parameters
    ----------
    supporting
        Among the k highest positive scores.
    against
        Among the k lowest negative scores: their presence spoke against the type.
    missing
        Seen by the model, and in neither.
    unseen
        In the data, but the model could not have seen them.
    """

    supporting: tuple[str, ...]
    against: tuple[str, ...]
    missing: tuple[str, ...]
    unseen: tuple[str, ...]

    def to_json(self) -> dict:
        """As a JSON object."""
        return {name: list(genes) for name, genes in vars(self).items()}


def for_against_missing(
    genes: np.ndarray, scores: np.ndarray, markers: np.ndarray, seen: np.ndarray, k: int = 10
) -> Markers:
    """Sort a type's markers by whether they carried the prediction.

    Raises
    ------
    ValueError
        Lengths differ, or a score is not finite.
    """
    check_lengths(scores, genes, markers, seen)
    markers, seen = np.asarray(markers, bool), np.asarray(seen, bool)
    top, low = top_positive(scores, seen, k), top_positive(-np.asarray(scores), seen, k)
    rest = markers & seen
    rest[top] = rest[low] = False
    missing = np.flatnonzero(rest)
    missing = missing[np.argsort(-np.asarray(scores)[missing], kind="stable")]
    parts = (top[markers[top]], low[markers[low]], missing, np.flatnonzero(markers & ~seen))
    return Markers(*(tuple(str(gene) for gene in genes[part]) for part in parts))
