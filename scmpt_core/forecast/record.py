"""How forecasts did where models were trained afterwards: written by ``benchmarks/forecast.py``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from scipy.stats import binomtest

from scmpt_core.forecast.calibration import Calibration

RECORD = Path(__file__).parents[1] / "assets" / "forecast.json"
WITHIN = 0.01  # of macro F1: a row this close to the best is a right choice
SURE = 0.05
ALWAYS_PCA, ALWAYS_FUSED = "always pca", "always the fused model"


@dataclass(frozen=True)
class Rival:
    """A rule that needs no forecast, on the same cases.

    Parameters
    ----------
    hits
        Cases in which its row was within 1 point of macro F1 of the best.
    only_ours, only_its
        Cases in which the forecast's row was and its was not, and the other way round.
    """

    name: str
    hits: int
    only_ours: int
    only_its: int

    @property
    def p(self) -> float:
        """Two-sided, by the sign test; it takes the parts of one dataset for independent."""
        differ = self.only_ours + self.only_its
        return float(binomtest(self.only_ours, differ).pvalue) if differ else 1.0


@dataclass(frozen=True)
class TrackRecord:
    """What was found, each dataset forecast with a calibration on the others.

    Parameters
    ----------
    probe
        The one that was chosen; its calibration on all cases is shipped.
    n
        Cases: datasets, and parts of them.
    tau
        Mean Kendall rank correlation of forecast and trained rows, −1…1.
    brier
        Mean square of (stated probability to be the best − whether it was), a row; lower is better.
    bins
        Rows by stated probability: ``low``, ``high``, mean ``said``, share ``best``, ``n``.
    cells
        Of each sample.
    source
        Where the figures are from, in words.
    """

    probe: str
    calibration: Calibration
    n: int
    hits: int
    rivals: tuple[Rival, ...]
    tau: float
    brier: float
    bins: tuple[dict, ...]
    sets: tuple[str, ...]
    encoders: tuple[str, ...]
    cells: int
    source: str

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> TrackRecord:
        """Back from :meth:`to_json`."""
        fixed = {name: tuple(value[name]) for name in ("bins", "sets", "encoders")}
        rivals = tuple(Rival(**rival) for rival in value["rivals"])
        calibration = Calibration(**value["calibration"])
        return cls(**(value | fixed | {"rivals": rivals, "calibration": calibration}))

    def words(self) -> list[str]:
        """What it was held against, and whether it is worth more than a rule of thumb."""
        parts = self.n - len(self.sets)
        first = (
            f"Held against training on {len(self.sets)} datasets and {parts} parts of them, each "
            f"dataset left out of its own calibration: the row named first was the best, or within "
            f"1 point of macro F1 of it, in {self.hits} of {self.n}"
        )
        others = ", ".join(f"{rival.name} in {rival.hits}" for rival in self.rivals)
        return [f"{first}; {others}.", *(self._against(rival) for rival in self.rivals)]

    def _against(self, rival: Rival) -> str:
        if rival.only_ours <= rival.only_its:
            return f"On these this forecast was no better than “{rival.name}”."
        if rival.p >= SURE:
            return (
                f"That it was better than “{rival.name}” on these could be chance "
                f"(p = {rival.p:.2f})."
            )
        return f"On these it was better than “{rival.name}” (p = {rival.p:.1g})."


def read_record(path: Path = RECORD) -> TrackRecord | None:
    """The record that ships; ``None`` where the forecast was not yet held against training."""
    if not path.is_file():
        return None
    return TrackRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
