"""What a rule does: to these cells, and to the calibration cells that it was chosen on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from scmpt_core.fusion import NAMED, REASONS, UNKNOWN
from scmpt_core.intervals import Interval
from scmpt_core.labelling.labels import BY_HAND, Labelling

LEVEL = 0.95
OUTCOMES = ("labelled by the model", BY_HAND, *REASONS)  # what can become of a cell


@dataclass(frozen=True)
class Effect:
    """What a rule does.

    Parameters
    ----------
    cells, named
        Of the labelled file: all, and those with a label other than Unknown.
    threshold
        Cells with a lower probability are Unknown.
    reached
        Whether the calibration cells allow the error asked for; if not, the threshold is the one
        with the least error there.
    calibration
        Calibration cells of the model.
    kept, wrong
        Of these: cells at or above the threshold, and how many of them are named wrongly.
    """

    cells: int
    named: int
    threshold: float
    reached: bool
    calibration: int
    kept: int
    wrong: int

    @property
    def error(self) -> float | None:
        """Share of wrong labels among the calibration cells kept; ``None`` without cells."""
        return self.wrong / self.kept if self.kept else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's interval of the error; takes cells for independent."""
        if not self.kept:
            return None
        found = binomtest(self.wrong, self.kept).proportion_ci(LEVEL, method="wilson")
        return Interval(float(found.low), float(found.high), LEVEL, "cells", self.kept)


def effect(labelling: Labelling) -> Effect:
    """Counted anew; the same cells and calibration cells under another rule give another one."""
    decision, sureness = labelling.decision, labelling.prediction.sureness
    above = sureness.confidence >= decision.threshold
    return Effect(
        cells=len(labelling.ids),
        named=int((labelling.labels != UNKNOWN).sum()),
        threshold=decision.threshold,
        reached=decision.reached,
        calibration=len(above),
        kept=int(above.sum()),
        wrong=int((above & ~sureness.right).sum()),
    )


def set_sizes(labelling: Labelling) -> dict[int, int]:
    """Labels in a set → cells with such a set, by size; 0 for cells that are not read."""
    sizes, cells = np.unique(labelling.sets.sum(axis=1), return_counts=True)
    return dict(zip(sizes.tolist(), cells.tolist(), strict=True))


def outcomes(labelling: Labelling) -> np.ndarray:
    """What became of each cell, as its position in ``OUTCOMES``, (cells,)."""
    codes = {reason: code for code, reason in enumerate(OUTCOMES)} | {NAMED: 0}
    names, inverse = np.unique(labelling.reasons, return_inverse=True)
    return np.array([codes[name] for name in names.tolist()], dtype=int)[inverse]
