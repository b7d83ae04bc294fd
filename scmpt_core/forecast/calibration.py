"""What a difference of a probe's numbers has meant, once models were trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.forecast.probes import FUSED, Probed


@dataclass(frozen=True)
class Calibration:
    """Difference in macro F1 after training = slope · difference of the probe + shift, ± spread.

    Differences are from the mean over the rows of one dataset.

    Parameters
    ----------
    shift
        What a row reads (``text``, ``genes``, ``expression``, or ``fused``) → macro F1 that it
        gained in training over what the probe said; 0 for a kind that was not there.
    spread
        Standard deviation of what is left, a row, beyond the probe's own resampling.
    """

    slope: float = 1.0
    shift: dict[str, float] | None = None
    spread: float = 0.0

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)

    def shifts(self, kinds: Sequence[str]) -> np.ndarray:
        """Of rows of these kinds, (rows,)."""
        return np.array([(self.shift or {}).get(kind, 0.0) for kind in kinds])

    def draws(self, probed: Probed, kinds: Sequence[str], seed: int) -> np.ndarray:
        """Macro F1 from the mean over the rows as it may turn out, (draws, rows)."""
        rng = np.random.default_rng(seed)
        own = centred(probed.resamples)
        own += centred(probed.values) - own.mean(axis=0)  # a resample's bias is not the sample's
        own = own[rng.integers(len(own), size=DRAWS)]
        unseen = self.spread * rng.normal(size=own.shape)
        return centred(self.slope * own + self.shifts(kinds) + unseen)


DRAWS = 4000


@dataclass(frozen=True, eq=False)
class Case:
    """One dataset (or a part of one): what a probe said of each row, and what training showed.

    Parameters
    ----------
    source
        The dataset that it is, or is a part of.
    kinds
        What each row reads, (rows,).
    trained
        Macro F1 on test cells, (rows,).
    """

    source: str
    kinds: tuple[str, ...]
    probed: Probed
    trained: np.ndarray


def centred(values: np.ndarray) -> np.ndarray:
    """Less the mean over the rows, the last axis."""
    return values - values.mean(axis=-1, keepdims=True)


def calibrate(cases: Sequence[Case], shifted: bool, scaled: bool) -> Calibration:
    """Fit to ``cases`` by least squares; each source weighs the same, however many cases it has.

    Parameters
    ----------
    shifted
        Whether kinds of rows may gain differently; else no shift.
    scaled
        Whether the slope is fitted; else 1, for probes whose number is a macro F1.

    Raises
    ------
    ValueError
        There is no case.
    """
    if not cases:
        raise ValueError("no cases to calibrate with")
    kinds = sorted({kind for case in cases for kind in case.kinds}) if shifted else []
    design, rest, weights = _stacked(cases, kinds, scaled)
    root = np.sqrt(weights)
    found, *_ = np.linalg.lstsq(design * root[:, None], rest * root, rcond=None)
    slope, shift = (found[0], found[1:]) if scaled else (1.0, found)
    left = rest - design @ found
    noise = np.concatenate([_own_variance(case, slope) for case in cases])
    rows = np.concatenate([np.full(len(c.kinds), len(c.kinds)) for c in cases])
    # residuals from the mean over n rows have (n − 1) / n of a row's variance
    variance = np.average((left**2 - noise) * rows / (rows - 1), weights=weights)
    shift = {kind: float(x) for kind, x in zip(kinds, shift, strict=True)}
    return Calibration(float(slope), shift, float(np.sqrt(max(variance, 0))))


def _stacked(
    cases: Sequence[Case], kinds: Sequence[str], scaled: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regressors and target of every row of every case, and its weight."""
    sources = [case.source for case in cases]
    design, rest, weights = [], [], []
    for case in cases:
        told = centred(case.probed.values)
        columns = [[float(kind == k) for kind in case.kinds] for k in kinds]
        parts = ([told] if scaled else []) + [centred(np.array(column)) for column in columns]
        design.append(np.stack(parts, axis=1) if parts else np.zeros((len(told), 0)))
        rest.append(centred(case.trained) - (0 if scaled else told))
        share = 1 / (sources.count(case.source) * len(case.kinds))
        weights.append(np.full(len(told), share))
    return np.concatenate(design), np.concatenate(rest), np.concatenate(weights)


def _own_variance(case: Case, slope: float) -> np.ndarray:
    """Of each row's difference by the probe's own resampling, (rows,)."""
    return slope**2 * centred(case.probed.resamples).var(axis=0)


def kinds_of(rows: Sequence[str], modalities: dict[str, str]) -> tuple[str, ...]:
    """What each row reads, by the encoders' modalities."""
    return tuple(FUSED if row == FUSED else modalities[row] for row in rows)
