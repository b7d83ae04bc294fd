"""The result of a comparison: every run, and what it was run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from scmpt_core.calibration import reliability
from scmpt_core.data import Split
from scmpt_core.evaluation.runs import Run
from scmpt_core.evaluation.verdict import Verdict, judge
from scmpt_core.fusion import ScMPT, Task
from scmpt_core.intervals import Interval, bootstrap
from scmpt_core.metrics import HEADLINE

REPLICATES = 1000  # of the bootstrap of one row's scores


@dataclass(frozen=True, eq=False)
class Comparison:
    """All runs; of the first split also the fitted models and what they say of every cell.

    Parameters
    ----------
    embeddings
        Encoder → (cells, dimension), fitted encoders as of the first split.
    fitted
        Model → the model fitted on the first split; baselines have none.
    proba
        Model → calibrated probabilities (cells, classes), the first split's model on all cells.
        Only the cells in that split's test part were kept from its training.
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
        """The runs of one model, in the order of the splits."""
        return [run for run in self.runs if run.model == model]

    def confusion(self, model: str) -> np.ndarray:
        """Summed over the runs, (classes, classes), truth in rows."""
        return np.sum([run.scores.confusion for run in self.of(model)], axis=0)

    @cached_property
    def verdict(self) -> Verdict:
        """What the numbers allow one to say."""
        return judge(self.task, self.splits, self.runs)

    def interval(self, model: str, metric: str) -> Interval | None:
        """Of the mean score, over test cells or, with groups, over groups."""
        task = self.task
        tested = [
            (split.test, task.codes[split.test], run.predicted)
            for split, run in zip(self.splits, self.of(model), strict=True)
        ]
        return bootstrap(
            tested, len(task.classes), metric, REPLICATES, groups=task.groups,
            unit=task.group or "group",
        )  # fmt: skip

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
                "groups": None if task.groups is None else len(set(task.groups[task.codes >= 0])),
                "runs": len(self.splits),
                "splits": [{"description": s.description, **s.sizes()} for s in self.splits],
            },
            "models": [self._row(model) for model in self.models],
            "verdict": self.verdict.to_json(),
        }

    def _row(self, model: str) -> dict:
        runs = self.of(model)
        row: dict = {
            "name": model, "kind": "baseline" if runs[0].head is None else "model",
            "encoders": list(runs[0].encoders), "head": runs[0].head,
        }  # fmt: skip
        for name in HEADLINE:
            row[name] = summary([getattr(run.scores, name) for run in runs])
        for name in ("accuracy", "macro_f1"):
            found = self.interval(model, name)
            row[name]["interval"] = None if found is None else found.to_json()
        row["per_class"] = {c: self._class(runs, c) for c in self.task.classes}
        row["ece"] = {k: summary([run.ece[k] for run in runs]) for k in ("before", "after")}
        row["reliability"] = self._reliability(runs)
        row["conformal"] = None if runs[0].conformal is None else _conformal(runs)
        row["hyperparameters"] = [run.hyperparameters for run in runs]
        row["seconds"] = summary([run.seconds for run in runs])
        return row

    def _reliability(self, runs: list[Run]) -> list[dict]:
        """Of the first seed: its folds test each cell once."""
        first = [(s, r) for s, r in zip(self.splits, runs, strict=True) if r.seed == runs[0].seed]
        proba = np.concatenate([run.proba for _, run in first])
        truth = np.concatenate([self.task.codes[split.test] for split, _ in first])
        return [b.to_json() for b in reliability(proba, truth)]

    @staticmethod
    def _class(runs: list[Run], name: str) -> dict:
        there = [r.scores.per_class[name] for r in runs if name in r.scores.per_class]
        keys = ("precision", "recall", "f1", "support")
        return {key: summary([values[key] for values in there]) for key in keys}


def _conformal(runs: list[Run]) -> dict:
    """Label sets over the runs: coverage, size, by class and by group."""
    reports = [run.conformal for run in runs if run.conformal is not None]
    out: dict = {
        "asked": reports[0]["asked"],
        "attainable": all(r["attainable"] for r in reports),
        "calibration_cells": summary([r["calibration_cells"] for r in reports]),
    }
    for key in ("coverage", "exact", "mean_size", "singletons"):
        out[key] = summary([r[key] for r in reports])
    for key in ("per_class", "per_group"):
        names = dict.fromkeys(n for r in reports for n in (r[key] or {}))
        out[key] = {name: _covered([r[key][name] for r in reports if name in r[key]])
                    for name in names}  # fmt: skip
    return out


def _covered(there: list[dict]) -> dict:
    """Coverage over the runs that tested a class or group, and how many cells they tested."""
    cells = sum(found["n"] for found in there)
    return summary([found["coverage"] for found in there]) | {"cells": cells}


def summary(values: Sequence[float]) -> dict:
    """Mean, sample standard deviation (``None`` below two values) and n."""
    n = len(values)
    mean = float(np.mean(values)) if n else None
    return {"mean": mean, "sd": float(np.std(values, ddof=1)) if n > 1 else None, "n": n}
