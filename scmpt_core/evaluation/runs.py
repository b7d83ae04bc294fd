"""One model on one split, and the folder in which finished runs survive a kill."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from scmpt_core.device import Device
from scmpt_core.fusion import ScMPT, load, save
from scmpt_core.fusion.fits import Epoch
from scmpt_core.metrics import Scores


@dataclass(frozen=True, eq=False)
class Run:
    """One model, or baseline, on one split.

    Parameters
    ----------
    head
        ``None`` for a baseline.
    proba
        Probabilities of the split's test cells, (test cells, classes) float32; calibrated where
        there is a head.
    ece
        Expected calibration error on the test cells, ``before`` and ``after`` the temperature.
    conformal
        What the label sets did on the test cells; ``None`` for a baseline.
    """

    model: str
    encoders: tuple[str, ...]
    head: str | None
    seed: int
    fold: int
    scores: Scores
    seconds: float
    proba: np.ndarray
    history: tuple[Epoch, ...] = ()
    ece: dict[str, float] = field(default_factory=dict)
    temperature: float | None = None
    conformal: dict | None = None
    hyperparameters: dict = field(default_factory=dict)

    @property
    def predicted(self) -> np.ndarray:
        """Class codes, (test cells,)."""
        return self.proba.argmax(axis=1)

    def to_json(self) -> dict:
        """As a JSON object, without ``proba``."""
        scores = asdict(self.scores) | {"confusion": self.scores.confusion.tolist()}
        values = {k: v for k, v in self.__dict__.items() if k != "proba"}
        return {**values, "scores": scores, "history": [asdict(e) for e in self.history]}

    @classmethod
    def from_json(cls, value: dict, proba: np.ndarray) -> Run:
        """Back from :meth:`to_json`."""
        scores = value["scores"] | {"confusion": np.array(value["scores"]["confusion"])}
        fixed = {
            "encoders": tuple(value["encoders"]),
            "scores": Scores(**scores),
            "history": tuple(Epoch(**epoch) for epoch in value["history"]),
        }
        return cls(**(value | fixed), proba=proba)


@dataclass(frozen=True)
class Kept:
    """Finished runs and the first split's models on disk; without a folder nothing is kept."""

    folder: Path | None

    def _file(self, seed: int, fold: int, model: str) -> Path | None:
        return None if self.folder is None else self.folder / f"run-{seed}-{fold}-{model}.json"

    def run(self, seed: int, fold: int, model: str) -> Run | None:
        """A run of an earlier, killed call."""
        file = self._file(seed, fold, model)
        if file is None or not file.exists():
            return None
        proba = np.load(file.with_suffix(".npy"), allow_pickle=False)
        return Run.from_json(json.loads(file.read_text(encoding="utf-8")), proba)

    def save_run(self, run: Run) -> None:
        """Keep it; the JSON comes last, so that a run that is there is whole."""
        file = self._file(run.seed, run.fold, run.model)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file.with_suffix(".npy"), run.proba, allow_pickle=False)
            temporary = file.with_suffix(".tmp")
            temporary.write_text(json.dumps(run.to_json(), ensure_ascii=False), encoding="utf-8")
            os.replace(temporary, file)

    def save_model(self, model: ScMPT) -> None:
        """Keep a fitted model."""
        if self.folder is not None:
            (self.folder / "models").mkdir(parents=True, exist_ok=True)
            save(model, self.folder / "models" / model.name)

    def load_model(self, name: str, device: Device) -> ScMPT:
        """Back from :meth:`save_model`."""
        if self.folder is None:
            raise ValueError("nothing is kept")
        return load(self.folder / "models" / name, device)
