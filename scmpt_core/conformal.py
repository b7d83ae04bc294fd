"""Sets of labels that hold the true one with a chosen probability: split conformal prediction.

mapie's SplitConformalClassifier gives the same sets (the tests hold them to it), but it can be
kept only as a pickle and needs an estimator object; what it comes down to is a sorted list of
numbers, which is kept as JSON here.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.errors import SettingError

METHOD = "lac"  # least ambiguous sets
TOLERANCE = 1e-8  # of comparing scores; mapie's


@dataclass(frozen=True, eq=False)
class ConformalSets:
    """Least ambiguous sets (Sadinle, Lei and Wasserman 2019, doi:10.1080/01621459.2017.1395341).

    A label's score is 1 less its probability. A set holds the labels with a score at most the
    ⌈(n + 1) × coverage⌉-th lowest of the n calibration cells' true labels. Where calibration and
    new cells are exchangeable, the true label is in the set with at least that probability, and
    with at most 1 / (n + 1) more where no scores tie. It holds on average over all cells: by class
    or donor the coverage differs, and for cells of another study it is not promised.

    Parameters
    ----------
    scores
        Of the calibration cells' true labels, (n,), rising, 0…1.
    """

    scores: np.ndarray
    method: str = METHOD

    def __post_init__(self) -> None:
        if self.method != METHOD:
            raise ValueError(f"conformity score {self.method!r}, known is {METHOD!r}")
        ok = self.scores.ndim == 1 and np.isfinite(self.scores).all()
        if not ok or (np.diff(self.scores, prepend=0, append=1) < 0).any():
            raise ValueError("conformity scores are not a rising list within 0…1")

    @classmethod
    def fit(cls, proba: np.ndarray, truth: np.ndarray) -> ConformalSets:
        """From probabilities (cells, classes) and class codes (cells,) of calibration cells.

        These cells must have had no part in training, nor in choosing a model or temperature:
        else the sets are too small.

        Raises
        ------
        ValueError
            The lengths differ.
        """
        if len(proba) != len(truth):
            raise ValueError(f"{len(truth)} true labels, probabilities of {len(proba)} cells")
        return cls(np.sort(_scores(proba)[np.arange(len(truth)), truth]))

    @property
    def n(self) -> int:
        """Calibration cells."""
        return len(self.scores)

    def attainable(self, coverage: float) -> bool:
        """Whether there are cells enough for sets other than "any label"."""
        return self.n >= least_cells(coverage)

    def threshold(self, coverage: float) -> float:
        """The highest score a label in the set may have; 1, any label, if not attainable."""
        if not self.attainable(coverage):
            return 1.0
        return float(self.scores[_rank(self.n, coverage) - 1])

    def sets(
        self,
        proba: np.ndarray,
        coverage: float,
        draws: np.ndarray | None = None,
        allow_empty: bool = False,
    ) -> np.ndarray:
        """Which labels are in each cell's set, bool, (cells, classes).

        Parameters
        ----------
        proba
            (cells, classes), made as the calibration cells' probabilities were.
        coverage
            Above 0 and below 1.
        draws
            By default the sets follow the cells alone, and cover up to 1 / (n + 1) too often: with
            17 calibration cells, 94.4 % where 90 % were asked for. With a number in [0, 1) a cell
            (:func:`cell_draws`), the threshold is drawn for each cell between that calibration
            score and the one below it, and the coverage is ``coverage`` exactly, ties or not
            (smoothed conformal prediction: Vovk, Gammerman and Shafer 2005, doi:10.1007/b106715).
            These sets are never larger than the default ones.
        allow_empty
            A set is empty where every label is less probable than usual for a true one. By
            default the most probable label then stands in it. That only adds coverage, but can
            add much: a model that is right on 99 % of the cells then covers at least 99 %.

        Raises
        ------
        SettingError
            ``coverage`` is out of range.
        """
        scores = _scores(proba)
        if draws is None:
            inside = scores - self.threshold(coverage) <= TOLERANCE
        else:
            _check(coverage)
            below = np.searchsorted(self.scores, scores, side="left")
            up_to = np.searchsorted(self.scores, scores, side="right")
            # (cells, classes): how strange the label is, uniform for the true one
            p = (self.n - up_to + draws[:, None] * (up_to - below + 1)) / (self.n + 1)
            inside = p > 1 - coverage
        if not allow_empty:
            empty = np.flatnonzero(~inside.any(axis=1))
            inside[empty, scores[empty].argmin(axis=1)] = True
        return inside

    def to_json(self) -> dict:
        """As a JSON object."""
        return {"method": self.method, "n": self.n, "scores": self.scores.tolist()}

    @classmethod
    def from_json(cls, value: dict) -> ConformalSets:
        """Back from :meth:`to_json`."""
        found = cls(np.array(value["scores"], dtype=np.float64), value["method"])
        if found.n != value["n"]:
            raise ValueError(f"{found.n} conformity scores, {value['n']} were written")
        return found


def least_cells(coverage: float) -> int:
    """Calibration cells without which every set at this coverage holds every label.

    Raises
    ------
    SettingError
        ``coverage`` is out of range.
    """
    _check(coverage)
    return math.ceil(coverage / (1 - coverage) - TOLERANCE)


def cell_draws(ids: Sequence[str], seed: int) -> np.ndarray:
    """A number in [0, 1) a cell, (cells,), from its id and the seed, whatever its neighbours."""
    texts = (f"{seed}\0{cell}".encode() for cell in ids)
    bits = [int.from_bytes(hashlib.blake2b(t, digest_size=8).digest()) >> 11 for t in texts]
    return np.array(bits, dtype=np.float64) / 2**53


def _scores(proba: np.ndarray) -> np.ndarray:
    # float32 rows can sum to slightly more than 1
    return np.clip(1 - np.asarray(proba, dtype=np.float64), 0, 1)


def _rank(n: int, coverage: float) -> int:
    return math.ceil((n + 1) * coverage - TOLERANCE)  # 100 × 0.55 is 55.00000000000001


def _check(coverage: float) -> None:
    if not 0 < coverage < 1:
        raise SettingError(
            f"The coverage is {coverage}.", "Give a share above 0 and below 1, such as 0.9."
        )


@dataclass(frozen=True)
class CoverageReport:
    """How label sets did on cells whose label is known; shares, 0…1."""

    n: int
    coverage: float  # share of cells whose set holds the true label
    mean_size: float  # labels a set; lower is better at equal coverage
    singletons: float  # share of sets with one label
    per_class: dict[str, dict[str, float]]  # class → coverage, n
    per_group: dict[str, dict[str, float]] | None = None  # group → coverage, n

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


def coverage_report(
    sets: np.ndarray,
    truth: np.ndarray,
    classes: Sequence[str],
    groups: np.ndarray | None = None,
) -> CoverageReport:
    """Report sets (cells, classes) against class codes (cells,), by group name (cells,) too.

    Raises
    ------
    ValueError
        There are no cells, or the shapes differ.
    """
    if not len(truth) or sets.shape != (len(truth), len(classes)):
        raise ValueError(f"sets are {sets.shape}, {len(truth)} cells × {len(classes)} classes")
    covered, size = sets[np.arange(len(truth)), truth], sets.sum(axis=1)
    return CoverageReport(
        n=len(truth),
        coverage=float(covered.mean()),
        mean_size=float(size.mean()),
        singletons=float((size == 1).mean()),
        per_class=_by(covered, np.asarray(classes)[truth]),
        per_group=None if groups is None else _by(covered, groups),
    )


def _by(covered: np.ndarray, names: np.ndarray) -> dict[str, dict[str, float]]:
    parts = {str(name): covered[names == name] for name in np.unique(names)}
    return {name: {"coverage": float(c.mean()), "n": len(c)} for name, c in parts.items()}
