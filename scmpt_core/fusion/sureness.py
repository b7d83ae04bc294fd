"""How sure a model is: what its calibration cells say about its probabilities.

The calibration cells take part in nothing else, so the temperature, the thresholds and the label
sets that rest on them hold for new cells like them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scmpt_core.calibration import CutOff, apply_temperature, error_threshold, fit_temperature
from scmpt_core.conformal import ConformalSets


@dataclass(frozen=True, eq=False)
class Sureness:
    """What the calibration cells said.

    Parameters
    ----------
    temperature
        Logits are divided by it.
    sets
        Conformal label sets, from the calibrated probabilities.
    confidence, right
        Of the calibration cells: highest calibrated probability, and whether that label was
        right, (cells,).
    """

    temperature: float
    sets: ConformalSets
    confidence: np.ndarray
    right: np.ndarray

    @classmethod
    def fit(cls, logits: np.ndarray, truth: np.ndarray) -> Sureness:
        """From logits (cells, classes) and class codes (cells,) of the calibration cells."""
        temperature = fit_temperature(logits, truth)
        proba = apply_temperature(logits, temperature)
        confidence = proba.max(axis=1) if len(proba) else np.zeros(0)
        right = proba.argmax(axis=1) == truth if len(proba) else np.zeros(0, dtype=bool)
        return cls(temperature, ConformalSets.fit(proba, truth), confidence, right)

    def proba(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, (cells, classes) float64."""
        return apply_temperature(logits, self.temperature)

    def cut_off(self, error: float) -> CutOff | None:
        """The lowest probability at which no more than ``error`` of the labels were wrong."""
        return error_threshold(self.confidence, self.right, error)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved with the model."""
        return {
            "temperature": np.array([self.temperature]),
            "scores": self.sets.scores,
            "confidence": self.confidence,
            "right": self.right.astype(np.uint8),
        }

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray]) -> Sureness:
        """Back from :meth:`arrays`."""
        return cls(
            float(arrays["temperature"][0]),
            ConformalSets(arrays["scores"]),
            arrays["confidence"],
            arrays["right"].astype(bool),
        )
