"""The two regimes: the head as it was trained, and one fitted to perturbed cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scmpt_core.ablations.bench import Vectors
from scmpt_core.data import Split
from scmpt_core.device import Device
from scmpt_core.fusion import ScMPT, Task, predict_logits, predict_proba, side_by_side, train_head
from scmpt_core.fusion.fits import Budget, Hyperparameters
from scmpt_core.fusion.search import QUICK
from scmpt_core.fusion.sureness import Sureness
from scmpt_core.fusion.ways import Way, parts_of
from scmpt_core.progress import silent


@dataclass(frozen=True, eq=False)
class Judge:
    """A fitted head: its ways, and what turns its logits into probabilities."""

    ways: list[Way]
    sureness: Sureness
    device: Device

    def probabilities(self, vectors: Vectors, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Way → (rows, classes); calibrated for the whole model, plain for one encoder's part."""
        out = {}
        for i, way in enumerate(self.ways):
            x = side_by_side(vectors, way.encoders)[rows]
            if i == 0:
                out[way.name] = self.sureness.proba(predict_logits(way.head, x, self.device))
            else:
                out[way.name] = predict_proba(way.head, x, self.device)
        return out


def refitted(
    model: ScMPT, task: Task, split: Split, vectors: Vectors, seed: int, device: Device
) -> Judge:
    """The model's kind of head, fitted and calibrated on ``vectors`` of its own training cells.

    Neural parts keep the settings that the model's own search had chosen.
    """
    trained = train_head(task, split, vectors, model.spec, budget_of(model), seed, device, silent)
    ways = parts_of(model.name, tuple(model.encoders), trained.fit.head)
    return Judge(ways, trained.sureness, device)


def budget_of(model: ScMPT) -> Budget:
    """A grid of only what the model's own search chose; the quick one where there is no record."""
    chosen = list(_settings(model.record.get("hyperparameters", {})))
    if not chosen:
        return QUICK
    return Budget("as trained", "the settings that the model was trained with",
                  tuple(dict.fromkeys(chosen)))  # fmt: skip


def _settings(hyper: dict) -> Iterator[Hyperparameters]:
    if "learning_rate" in hyper:
        yield Hyperparameters(**hyper)
    for each in hyper.get("dense", []):
        yield Hyperparameters(**each)
