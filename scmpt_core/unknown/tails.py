"""p-values from scores of known cells, smooth beyond the strangest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TAIL = 0.1  # share of the scores that the tail is fitted to
LEAST = 5  # scores that it is fitted to, at least
SHAPE = 0.2  # of the generalised Pareto tail: heavier than an exponential one


@dataclass(frozen=True)
class Tail:
    """Share of known cells that score higher, as a function of the score.

    Of n scores the i-th highest has i / (n + 1), and there are straight lines between them: new
    scores of the same distribution then give p-values that are uniform on average, whatever the
    distribution. Above the highest a generalised Pareto tail goes on (Pickands 1975,
    doi:10.1214/aos/1176343003), of fixed shape, its scale told from the highest tenth, so that
    strange cells still rank among each other. There, below 1 / (n + 1), p-values are extrapolated.

    Parameters
    ----------
    scores
        Rising, without repeats.
    shares
        Share of each, falling.
    scale
        Of the tail, which starts at the last of ``scores``.
    """

    scores: np.ndarray
    shares: np.ndarray
    scale: float

    @classmethod
    def fit(cls, known: np.ndarray) -> Tail:
        """Fit to the scores of known cells, (cells,); two at least."""
        ordered = np.sort(known)
        n = len(ordered)
        highest = ordered[n - min(max(LEAST, int(TAIL * n)), n - 1) - 1 :]
        excess = highest - highest[0]
        # beyond a start the scale is (1 − shape) · mean, and it grows by the shape on the way up
        scale = (1 - SHAPE) * float(excess[1:].mean()) + SHAPE * float(excess[-1])
        distinct, first = np.unique(ordered, return_index=True)
        return cls(distinct, (n - first) / (n + 1), max(scale, 1e-12))

    def p(self, scores: np.ndarray) -> np.ndarray:
        """p-values, in (0, 1), small for high scores."""
        inside = np.interp(scores, self.scores, self.shares)
        beyond = np.maximum(scores - self.scores[-1], 0) / self.scale
        return inside * (1 + SHAPE * beyond) ** (-1 / SHAPE)


def leave_one_out(known: np.ndarray) -> np.ndarray:
    """p-value of each known cell among all the others, (cells,)."""
    return np.array([Tail.fit(np.delete(known, i)).p(known[i]) for i in range(len(known))])
