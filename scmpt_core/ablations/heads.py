"""The two regimes: the head as it was trained, and one fitted to perturbed cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scmpt_core.ablations.bench import Vectors
from scmpt_core.data import Split
from scmpt_core.device import Device
from scmpt_core.fusion import ScMPT, Task, predict_logits, predict_proba, side_by_side, train_head
from scmpt_core.fusion.fits import Budget, Data, Fit, Hyperparameters
from scmpt_core.fusion.heads import get_head
from scmpt_core.fusion.plan import PAPER
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


@dataclass(eq=False)
class Refitter:
    """Fits the model's kind of head to other vectors of its own training cells.

    Neural parts keep the settings that the model's own search had chosen. A dense network over
    one encoder is fitted anew only where that encoder's vectors are other arrays than in ``base``.
    """

    model: ScMPT
    task: Task
    split: Split
    base: Vectors
    device: Device
    _dense: dict[str, Fit] = field(default_factory=dict)  # fits to ``base``

    def fit(self, vectors: Vectors) -> Judge:
        """The head, fitted and calibrated on ``vectors``."""
        model, seed = self.model, int(self.model.record.get("seed", 0))
        chosen = model.record.get("hyperparameters", {})
        own = [Hyperparameters(**chosen)] if "learning_rate" in chosen else []
        dense = {
            name: self._of_one(name, vectors[name], Hyperparameters(**hyper), seed)
            for name, hyper in zip(model.encoders, chosen.get("dense", ()), strict=False)
        }
        trained = train_head(
            self.task, self.split, vectors, model.spec, _only(own), seed, self.device, silent, dense
        )
        ways = parts_of(model.name, tuple(model.encoders), trained.fit.head)
        return Judge(ways, trained.sureness, self.device)

    def _of_one(self, name: str, x: np.ndarray, hyper: Hyperparameters, seed: int) -> Fit:
        same = x is self.base[name]
        if same and name in self._dense:
            return self._dense[name]
        y, split = self.task.codes, self.split
        train, validation = ((x[rows], y[rows]) for rows in (split.train, split.validation))
        data = Data(train, validation, len(self.task.classes), (x.shape[1],))
        fit = get_head(PAPER).fit(data, _only([hyper]), seed, self.device, silent)
        if same:
            self._dense[name] = fit
        return fit


def _only(settings: list[Hyperparameters]) -> Budget:
    """A grid of only what the model's search chose; the quick one for heads that chose none."""
    if not settings:
        return QUICK
    return Budget("as trained", "the settings that the model was trained with", tuple(settings))
