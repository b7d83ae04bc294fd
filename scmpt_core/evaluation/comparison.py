"""The result of a comparison: every run, and what it was run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from scmpt_core.data import Split
from scmpt_core.fusion import ScMPT, Task
from scmpt_core.fusion.training import Epoch
from scmpt_core.metrics import HEADLINE, Scores


@dataclass(frozen=True, eq=False)
class Run:
    """One model on one split."""

    model: str
    encoders: tuple[str, ...]
    seed: int
    fold: int
    scores: Scores
    seconds: float
    history: tuple[Epoch, ...]

    def to_json(self) -> dict:
        """As a JSON object."""
        scores = asdict(self.scores) | {"confusion": self.scores.confusion.tolist()}
        history = [asdict(epoch) for epoch in self.history]
        return {**self.__dict__, "scores": scores, "history": history}

    @classmethod
    def from_json(cls, value: dict) -> Run:
        """Back from :meth:`to_json`."""
        scores = value["scores"] | {"confusion": np.array(value["scores"]["confusion"])}
        fixed = {
            "encoders": tuple(value["encoders"]),
            "scores": Scores(**scores),
            "history": tuple(Epoch(**epoch) for epoch in value["history"]),
        }
        return cls(**(value | fixed))


@dataclass(frozen=True, eq=False)
class Comparison:
    """All runs; of the first split also the fitted models and what they say of every cell.

    Parameters
    ----------
    embeddings
        Encoder → (cells, dimension), fitted encoders as of the first split.
    fitted
        Model → the model fitted on the first split; the majority has none.
    proba
        Model → (cells, classes), the first split's model on all cells. Only the cells in that
        split's test part were kept from its training.
    """

    dataset: str
    task: Task
    splits: tuple[Split, ...]
    runs: tuple[Run, ...]
    embeddings: dict[str, np.ndarray]
    fitted: dict[str, ScMPT] = field(default_factory=dict)
    proba: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """Names in the order of the table."""
        return list(dict.fromkeys(run.model for run in self.runs))

    def of(self, model: str) -> list[Run]:
        """The runs of one model."""
        return [run for run in self.runs if run.model == model]

    def confusion(self, model: str) -> np.ndarray:
        """Summed over the runs, (classes, classes), truth in rows."""
        return np.sum([run.scores.confusion for run in self.of(model)], axis=0)

    def to_json(self) -> dict:
        """The result as the command line prints it; each metric is mean, sd and n of runs."""
        task, cells = self.task, self.task.cells
        return {
            "dataset": {
                "name": self.dataset,
                "cells": len(cells),
                "genes": len(cells.genes),
                "normalisation": cells.normalisation,
                "label": task.label,
                "classes": list(task.classes),
                "palette": list(task.palette or task.classes),
                "left_out": int((task.codes < 0).sum()),
            },
            "split": {
                "group": task.group,
                "runs": len(self.splits),
                "splits": [{"description": s.description, **s.sizes()} for s in self.splits],
            },
            "models": [self._row(model) for model in self.models],
        }

    def _row(self, model: str) -> dict:
        runs = self.of(model)
        row: dict = {"name": model, "encoders": list(runs[0].encoders)}
        for name in HEADLINE:
            row[name] = summary([getattr(run.scores, name) for run in runs])
        row["per_class"] = {c: self._class(runs, c) for c in self.task.classes}
        row["seconds"] = summary([run.seconds for run in runs])
        return row

    @staticmethod
    def _class(runs: list[Run], name: str) -> dict:
        there = [r.scores.per_class[name] for r in runs if name in r.scores.per_class]
        keys = ("precision", "recall", "f1", "support")
        return {key: summary([values[key] for values in there]) for key in keys}


def summary(values: Sequence[float]) -> dict:
    """Mean, sample standard deviation (``None`` below two values) and n."""
    n = len(values)
    mean = float(np.mean(values)) if n else None
    return {"mean": mean, "sd": float(np.std(values, ddof=1)) if n > 1 else None, "n": n}
