"""From probabilities to labels that can be relied on: who is called Unknown, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.calibration import CutOff, risk_curve
from scmpt_core.errors import SettingError
from scmpt_core.fusion.sureness import Sureness

UNKNOWN = "Unknown"
NAMED = ""  # the reason of a cell that has a label
NO_GENE = "no gene that the model reads"
FAR = "far from all training cells"
DISAGREE = "encoders disagree"
UNDECIDED = "undecided"
REASONS = (NO_GENE, FAR, DISAGREE, UNDECIDED)


@dataclass(frozen=True)
class Rule:
    """When a cell is called Unknown, and how large label sets are.

    Parameters
    ----------
    error
        Highest share of wrong labels aimed at: the threshold on the probability is the lowest at
        which the calibration cells had no more.
    far
        Share of cells of known types that may be called far from all training cells.
    coverage
        Share of label sets that hold the true label.

    Raises
    ------
    SettingError
        A share is out of range.
    """

    error: float = 0.05
    far: float = 0.01
    coverage: float = 0.9

    def __post_init__(self) -> None:
        for name, low, high in (("error", 0, 1), ("far", 0, 1), ("coverage", 0.5, 0.999)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingError(f"{name} is {value}.", f"Give a share from {low} to {high}.")

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Decision:
    """Labels by a rule.

    Parameters
    ----------
    labels, reasons
        (cells,): the class or ``Unknown``; why, ``""`` where there is a label.
    threshold
        Cells with a lower probability are Unknown.
    reached
        Whether the calibration cells allow the error asked for; if not, the threshold is the one
        with the least error there.
    expected
        What the threshold did to the calibration cells; ``None`` where there are none.
    """

    labels: np.ndarray
    reasons: np.ndarray
    threshold: float
    reached: bool
    expected: CutOff | None


def decide(
    proba: np.ndarray,
    classes: tuple[str, ...],
    sureness: Sureness,
    rule: Rule,
    far_p: np.ndarray | None = None,
    disagree: np.ndarray | None = None,
    unread: np.ndarray | None = None,
) -> Decision:
    """Apply ``rule`` to calibrated probabilities, (cells, classes).

    Parameters
    ----------
    far_p
        How usual each cell is among cells of known types: a p-value, (cells,).
    disagree, unread
        Whether a cell's encoders name different types, and whether it has no gene that the model
        reads, (cells,) bool.
    """
    n = len(proba)
    top = proba.max(axis=1) if n else np.zeros(0)
    cut, reached = threshold_of(sureness, rule.error)
    threshold = 0.0 if cut is None else cut.threshold
    labels = np.array(classes, dtype=object)[proba.argmax(axis=1)]
    reasons = np.full(n, NAMED, dtype=object)
    low = top < threshold
    reasons[low] = UNDECIDED
    if disagree is not None:
        reasons[low & disagree] = DISAGREE
    if far_p is not None:
        reasons[far_p <= rule.far] = FAR
    if unread is not None:
        reasons[unread] = NO_GENE
    labels[reasons != NAMED] = UNKNOWN
    return Decision(labels.astype(str), reasons.astype(str), threshold, reached, cut)


def threshold_of(sureness: Sureness, error: float) -> tuple[CutOff | None, bool]:
    """The cut-off for an error, and whether the calibration cells reach it."""
    cut = sureness.cut_off(error)
    if cut is not None:
        return cut, True
    thresholds, kept, wrong = risk_curve(sureness.confidence, sureness.right)
    if not len(thresholds):
        return None, False
    best = int(np.lexsort((-kept, wrong))[0])  # the least error; among equals, most cells kept
    return CutOff(float(thresholds[best]), float(kept[best]), float(wrong[best])), False
