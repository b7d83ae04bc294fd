"""Do probabilities mean what they say? Reliability, temperature, and what a threshold costs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from scmpt_core.errors import SettingError
from scmpt_core.intervals import Interval, wilson

TEMPERATURES = (0.05, 20.0)  # where fit_temperature looks


@dataclass(frozen=True)
class Bin:
    """The cells whose highest probability lies in (low, high]."""

    low: float
    high: float
    n: int
    confidence: float  # mean of their highest probability
    accuracy: float  # share of them named rightly
    interval: Interval  # Wilson's, of the accuracy; takes cells for independent

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> Bin:
        """Back from :meth:`to_json`."""
        return cls(**(value | {"interval": Interval.from_json(value["interval"])}))


def reliability(proba: np.ndarray, truth: np.ndarray, bins: int = 15) -> list[Bin]:
    """Confidence against accuracy in bins of equal width; bins without cells are left out.

    Parameters
    ----------
    proba
        Probabilities, (cells, classes).
    truth
        Class codes, (cells,).

    Raises
    ------
    ValueError
        There are no cells, or the lengths differ.
    """
    if not len(truth) or len(truth) != len(proba):
        raise ValueError(f"{len(truth)} true labels, probabilities of {len(proba)} cells")
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == truth
    edges = np.linspace(0, 1, bins + 1)
    places = np.digitize(confidence, edges[1:-1], right=True)
    return [
        _bin(edges[place : place + 2], confidence[places == place], right[places == place])
        for place in np.unique(places)
    ]


def _bin(edges: np.ndarray, confidence: np.ndarray, right: np.ndarray) -> Bin:
    low, high = map(float, edges)
    interval = wilson(int(right.sum()), len(right))
    return Bin(low, high, len(right), float(confidence.mean()), float(right.mean()), interval)


def expected_calibration_error(proba: np.ndarray, truth: np.ndarray, bins: int = 15) -> float:
    """Mean distance of confidence from accuracy over the cells' bins; 0…1, lower is better.

    Of the top label, in bins of equal width (Guo et al. 2017, arXiv:1706.04599). In bins of few
    cells accuracy strays by chance, so that even perfect probabilities score above 0.

    Parameters and raises as in :func:`reliability`.
    """
    found = reliability(proba, truth, bins)
    return sum(b.n * abs(b.accuracy - b.confidence) for b in found) / len(truth)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The T for which softmax(logits / T) gives the calibration cells the least cross-entropy.

    Above 1 it takes certainty away, below 1 it adds some; the order of the classes stays (Guo et
    al. 2017, arXiv:1706.04599). The loss is convex in 1 / T, so there is one minimum. It is looked
    for within ``TEMPERATURES``, and an end is returned where the minimum lies beyond: the lowest
    where all cells are right (they would have T go to 0), the highest where the logits are worth
    less than nothing.

    Parameters
    ----------
    logits
        Finite, (cells, classes). Without cells, T is 1: nothing is changed.
    truth
        Class codes, (cells,).

    Raises
    ------
    ValueError
        The lengths differ, or a logit is not finite.
    """
    if len(logits) != len(truth) or not np.isfinite(logits).all():
        raise ValueError(f"{len(truth)} true labels, {len(logits)} rows of logits, or not finite")
    if not len(truth):
        return 1.0
    wide, rows = np.asarray(logits, dtype=np.float64), np.arange(len(truth))

    def loss(t: float) -> float:
        return -float(log_softmax(wide / t, axis=1)[rows, truth].mean())

    inner = minimize_scalar(
        lambda log_t: loss(math.exp(log_t)),
        bounds=tuple(map(math.log, TEMPERATURES)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    # a bounded search only comes near its ends, so they are tried as they are
    return min((*TEMPERATURES, math.exp(inner.x)), key=loss)


def apply_temperature(logits: np.ndarray, t: float) -> np.ndarray:
    """Probabilities, (cells, classes), in float64.

    Raises
    ------
    ValueError
        ``t`` is not above 0.
    """
    if not t > 0:
        raise ValueError(f"the temperature is {t}")
    return softmax(np.asarray(logits, dtype=np.float64) / t, axis=1)


class CutOff(NamedTuple):
    """What a threshold on the confidence does to the calibration cells."""

    threshold: float  # cells below it are called Unknown
    kept: float  # share of the cells at or above it
    error: float  # share of those that are named wrongly


def risk_curve(
    confidence: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every threshold that makes a difference, falling; share of cells kept; error among them.

    Parameters
    ----------
    confidence
        Any score that is higher for surer cells, (cells,).
    right
        Whether each cell is named rightly, (cells,).
    """
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    # only the last of equal confidences is a possible cut: they are kept or dropped together
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)])
    kept, wrong = ends + 1, np.cumsum(~right[order].astype(bool))[ends]
    return ordered[ends], kept / max(1, len(ordered)), wrong / kept


def error_threshold(confidence: np.ndarray, right: np.ndarray, error: float) -> CutOff | None:
    """The lowest threshold that leaves an error of at most ``error`` among the cells kept.

    Chosen and counted on the same cells, so new cells err slightly more often: an aim, not a
    guarantee.

    Parameters
    ----------
    confidence, right
        As in :func:`risk_curve`.
    error
        Highest share of wrong labels, 0…1.

    Returns
    -------
    None where no threshold does it, as where the surest cell is wrong and ``error`` is 0.

    Raises
    ------
    SettingError
        ``error`` is not within 0…1.
    """
    if not 0 <= error <= 1:
        raise SettingError(f"The error allowed is {error}.", "Give a share from 0 to 1.")
    curve = risk_curve(confidence, right)
    good = np.flatnonzero(curve[2] <= error)
    return CutOff(*(float(values[good[-1]]) for values in curve)) if len(good) else None
