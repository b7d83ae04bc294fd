"""What a probe is: vectors of a sample in, one number a row out, higher is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scmpt_core.forecast.sample import Sample
from scmpt_core.intervals import MIN_GROUPS
from scmpt_core.weighted import METRICS, weighted_scores

RESAMPLES = 1000
FUSED = "fused"  # the row of all encoders together, the last one


@dataclass(frozen=True, eq=False)
class Probed:
    """What a probe found.

    Parameters
    ----------
    rows
        Names of the encoders; ``"fused"`` behind them where there are two and more.
    values
        (rows,); higher is better.
    resamples
        The same on other draws of cells (or groups), (resamples, rows); one draw for all rows.
    """

    rows: tuple[str, ...]
    values: np.ndarray
    resamples: np.ndarray

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.rows),) or self.resamples.shape[1:] != self.values.shape:
            raise ValueError(f"{self.values.shape}, {self.resamples.shape}: {self.rows}")


@dataclass(frozen=True)
class ProbeInfo:
    """The metadata record of a probe.

    Parameters
    ----------
    scale
        What its number is.
    comparable
        Whether that is a macro F1, and a difference of it one of macro F1.
    """

    name: str
    title: str
    scale: str
    comparable: bool
    reference: str
    run: Callable[[Sample, int], Probed]


def rows_of(sample: Sample) -> tuple[str, ...]:
    """The encoders and, of two and more, their fusion."""
    names = sample.encoders
    return (*names, FUSED) if len(names) > 1 else tuple(names)


def units_of(sample: Sample) -> tuple[np.ndarray, int]:
    """What is resampled: the unit of each cell, (cells,), and their number.

    Whole groups, or cells where there are fewer groups than say anything.
    """
    if sample.groups is not None:
        names, unit = np.unique(sample.groups, return_inverse=True)
        if len(names) >= MIN_GROUPS:
            return unit, len(names)
    return np.arange(len(sample)), len(sample)


def macro_f1_of(sample: Sample, predicted: dict[str, np.ndarray], seed: int) -> Probed:
    """Macro F1 of out-of-fold predictions, row → codes (cells,), with its bootstrap."""
    unit, n = units_of(sample)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    weights = np.concatenate([np.ones((1, len(sample))), drawn[:, unit]])
    column = METRICS.index("macro_f1")
    found = [
        weighted_scores(sample.codes, codes, weights, sample.classes)[:, column]
        for codes in predicted.values()
    ]
    values = np.stack(found, axis=1)  # (1 + resamples, rows)
    return Probed(tuple(predicted), values[0], values[1:])
