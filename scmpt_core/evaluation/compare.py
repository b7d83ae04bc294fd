"""Each encoder + MLP, their fusion, PCA + MLP and the majority class, on the same splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scmpt_core.data import Split
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import SettingError
from scmpt_core.fusion import Task, embed, fit_encoders, load_encoders, model_name, train_head
from scmpt_core.fusion.training import Epoch
from scmpt_core.metrics import HEADLINE, Scores, score
from scmpt_core.progress import Progress, part, silent

BASELINE = "pca"
MAJORITY = "majority"


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


@dataclass(frozen=True, eq=False)
class Comparison:
    """All runs, and what they were run on."""

    dataset: str
    task: Task
    splits: tuple[Split, ...]
    runs: tuple[Run, ...]
    embeddings: dict[str, np.ndarray]  # encoder → (cells, dimension), of the last split

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


def compare(
    dataset: str,
    task: Task,
    names: Sequence[str],
    seeds: int,
    store: EmbeddingStore,
    device: Device,
    progress: Progress = silent,
) -> Comparison:
    """Fit and test every model on every split of seeds 0 … ``seeds`` − 1.

    Rows: ``<encoder>+mlp`` each, ``scmpt`` over exactly ``names`` where there are two or more
    (a fusion of one is that one), ``pca+mlp``, ``majority``.

    Raises
    ------
    SettingError
        ``seeds`` is below 1, or an encoder is named twice or unknown.
    """
    if seeds < 1:
        raise SettingError(f"--seeds is {seeds}; at least 1 is needed.", "Give a count such as 3.")
    names = tuple(names)
    if not names or len(set(names)) < len(names):
        raise SettingError(f"Encoders named: {list(names)}.", "Name each encoder once.")
    singles = [(n,) for n in dict.fromkeys([*names, BASELINE])]
    models = singles[: len(names)] + ([names] if len(names) > 1 else []) + singles[len(names) :]
    loaded = load_encoders([n for (n,) in singles], device)
    plan = [(seed, fold, s) for seed in range(seeds) for fold, s in enumerate(task.splits(seed))]
    frozen = {n: e for n, e in loaded.items() if not e.info.fitted}
    embeddings = embed(frozen, task.cells, store, part(progress, 0, 0.5)) if frozen else {}
    runs: list[Run] = []
    for i, (seed, fold, split) in enumerate(plan):
        fitted = {n: e for n, e in loaded.items() if e.info.fitted}
        embeddings |= embed(fit_encoders(fitted, task.cells, split.train), task.cells, store)
        for j, model in enumerate(models):
            done, total = i * len(models) + j, len(plan) * len(models)
            step = part(progress, 0.5 + done / total / 2, 0.5 + (done + 1) / total / 2)
            name = model_name(model)
            label = f"split {i + 1} of {len(plan)}: {name}"

            def report(fraction: float, message: str, label: str = label, step=step) -> None:
                step(fraction, f"{label}, {message}")

            out = train_head(task, split, embeddings, model, seed, device, report)
            runs.append(Run(name, model, seed, fold, out.scores, out.seconds, out.fit.history))
        runs.append(_majority(task, split, seed, fold))
    progress(1.0, "done")
    return Comparison(dataset, task, tuple(s for _, _, s in plan), tuple(runs), embeddings)


def _majority(task: Task, split: Split, seed: int, fold: int) -> Run:
    winner = np.bincount(task.codes[split.train], minlength=len(task.classes)).argmax()
    truth = task.codes[split.test]
    scores = score(truth, np.full(len(truth), winner), task.classes)
    return Run(MAJORITY, (), seed, fold, scores, 0.0, ())
