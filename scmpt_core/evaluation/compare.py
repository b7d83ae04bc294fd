"""Every model and baseline of a plan, fitted and tested on the same splits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from scmpt_core.calibration import expected_calibration_error
from scmpt_core.conformal import cell_draws, coverage_report
from scmpt_core.data import Split
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import Encoder, PCAEncoder
from scmpt_core.evaluation.baselines import get_baseline
from scmpt_core.evaluation.comparison import Comparison
from scmpt_core.evaluation.effort import Plan
from scmpt_core.evaluation.runs import Kept, Run
from scmpt_core.fusion import (
    PAPER,
    ModelSpec,
    Rule,
    ScMPT,
    Task,
    Trained,
    assemble,
    embed,
    fit_encoders,
    fit_unknown,
    load_encoders,
    predict_logits,
    side_by_side,
    train_head,
    training_windows,
)
from scmpt_core.fusion.fits import Fit
from scmpt_core.metrics import score
from scmpt_core.progress import Progress, part, silent
from scmpt_core.unknown import UnknownDetector
from scmpt_core.unknown.neighbours import chosen

COVERAGE = Rule().coverage


def compare(
    dataset: str,
    task: Task,
    plan: Plan,
    store: EmbeddingStore,
    device: Device,
    progress: Progress = silent,
    keep: Path | None = None,
    embedding_share: float = 0.5,
) -> Comparison:
    """Fit and test every row of ``plan`` on every split of its seeds.

    Parameters
    ----------
    keep
        A folder for finished runs and the first split's models: a call that was killed goes on
        after its last finished run. It serves one set of arguments.
    embedding_share
        Share of the time that embedding is expected to take, for ``progress``.
    """
    loaded = load_encoders(plan.encoders, device, plan.options)
    frozen = {n: e for n, e in loaded.items() if not e.info.fitted}
    shared = embed(frozen, task.cells, store, part(progress, 0, embedding_share)) if frozen else {}
    splits = [(seed, f, s) for seed in range(plan.seeds) for f, s in enumerate(task.splits(seed))]
    report = part(progress, embedding_share, 1)
    first, runs = None, []
    for i, (seed, fold, split) in enumerate(splits):
        encoders = fit_encoders(loaded, task.cells, split.train)
        fitted = {n: e for n, e in encoders.items() if e.info.fitted}
        vectors = shared | embed(fitted, task.cells, store)
        place = _Place(dataset, task, split, seed, fold, encoders, vectors, device, Kept(keep))
        step = _named(report, i, len(splits))
        if first is None:
            first = FirstSplit(place)
        runs += place.runs(plan, step, first if i == 0 else None)
    progress(1.0, "done")
    return Comparison(
        dataset, task, tuple(s for _, _, s in splits), tuple(runs), first.place.vectors,
        first.fitted, first.proba,
    )  # fmt: skip


def _named(progress: Progress, i: int, n: int) -> Progress:
    step = part(progress, i / n, (i + 1) / n)
    return lambda fraction, message: step(fraction, f"split {i + 1} of {n}: {message}")


@dataclass(frozen=True, eq=False)
class _Place:
    """One split, with everything to fit on it."""

    dataset: str
    task: Task
    split: Split
    seed: int
    fold: int
    encoders: dict[str, Encoder]
    vectors: dict[str, np.ndarray]
    device: Device
    kept: Kept
    dense: dict[str, Fit] = field(default_factory=dict)  # of encoders alone, for fusions to use

    def runs(self, plan: Plan, progress: Progress, first: FirstSplit | None) -> Iterator[Run]:
        """Every row, from disk where it is there."""
        total = len(plan.models) + len(plan.baselines)
        for j, spec in enumerate(plan.models):
            step = part(progress, j / total, (j + 1) / total)
            run = self.kept.run(self.seed, self.fold, spec.name)
            if run is None:
                trained = self._train(spec, plan, step)
                if first is not None:
                    first.add(trained)
                run = self._run(trained)
                self.kept.save_run(run)
            elif first is not None:
                first.restore(self.kept.load_model(spec.name, self.device))
            yield run
        for j, name in enumerate(plan.baselines, len(plan.models)):
            run = self.kept.run(self.seed, self.fold, name)
            if run is None:
                progress(j / total, f"{name}, fitting")
                run = self._baseline(name)
                self.kept.save_run(run)
            yield run

    def _train(self, spec: ModelSpec, plan: Plan, step: Progress) -> Trained:
        def named(fraction: float, message: str) -> None:
            step(fraction, f"{spec.name}, {message}")

        trained = train_head(
            self.task, self.split, self.vectors, spec, plan.budget, self.seed, self.device, named,
            self.dense,
        )  # fmt: skip
        if spec.head == PAPER and not spec.fused:
            self.dense[spec.encoders[0]] = trained.fit
        return trained

    def _run(self, trained: Trained) -> Run:
        return Run(
            trained.spec.name, trained.spec.encoders, trained.spec.head, self.seed, self.fold,
            trained.scores, trained.seconds, trained.proba.astype(np.float32), trained.fit.history,
            trained.ece, trained.sureness.temperature, self._conformal(trained),
            trained.fit.hyperparameters,
        )  # fmt: skip

    def _conformal(self, trained: Trained) -> dict:
        """Label sets on the test cells, as they are shown, and as the theory has them.

        Shown sets are never empty and depend on the cell alone, so they cover more often than
        asked for; ``exact`` are the smoothed ones, which may be empty.
        """
        truth, sets = self.task.codes[self.split.test], trained.sureness.sets
        groups = None if self.task.groups is None else self.task.groups[self.split.test]
        shown = sets.sets(trained.proba, COVERAGE)
        report = coverage_report(shown, truth, self.task.classes, groups).to_json()
        draws = cell_draws(self.task.cells.ids[self.split.test], self.seed)
        exact = sets.sets(trained.proba, COVERAGE, draws, allow_empty=True)
        report["exact"] = float(exact[np.arange(len(truth)), truth].mean())
        report["calibration_cells"] = sets.n
        return report | {"asked": COVERAGE, "attainable": sets.attainable(COVERAGE)}

    def _baseline(self, name: str) -> Run:
        task, split = self.task, self.split
        start = time.perf_counter()
        seen = np.concatenate([split.train, split.validation])  # it chooses nothing on validation
        seen.sort()
        info = get_baseline(name)
        fitted = info.fit(task.cells.take(seen), task.codes[seen], len(task.classes), self.seed)
        proba, truth = fitted.proba(task.cells.take(split.test)), task.codes[split.test]
        error = expected_calibration_error(proba, truth)
        return Run(
            name, (), None, self.seed, self.fold, score(truth, proba.argmax(1), task.classes),
            time.perf_counter() - start, proba, ece={"before": error, "after": error},
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class FirstSplit:
    """The models of the first split, and their probabilities for every cell."""

    place: _Place
    fitted: dict[str, ScMPT] = field(default_factory=dict)
    proba: dict[str, np.ndarray] = field(default_factory=dict)
    unknown: dict[tuple[str, ...], UnknownDetector] = field(default_factory=dict)

    @cached_property
    def windows(self) -> dict[str, np.ndarray]:
        """What each encoder reads of the training cells."""
        return training_windows(self.place.encoders, self.place.task, self.place.split)

    def add(self, trained: Trained) -> None:
        """Keep a model just trained."""
        p = self.place
        model = assemble(
            p.task, p.split, p.encoders, self.windows, trained, self._unknown(trained.spec), p.seed,
            p.device, p.dataset,
        )  # fmt: skip
        p.kept.save_model(model)
        self.restore(model)

    def _unknown(self, spec: ModelSpec) -> UnknownDetector:
        """The detector of a model's encoders; models that it reads alike share one fit."""
        p, names = self.place, chosen(spec.encoders)
        if names not in self.unknown:
            vectors = {name: p.vectors[name] for name in names}
            self.unknown[names] = fit_unknown(p.task, p.split, p.encoders, vectors, p.seed)
        # the principal components are kept with the model where it reads them anyway
        reads_pca = any(isinstance(p.encoders[name], PCAEncoder) for name in spec.encoders)
        return replace(self.unknown[names], given=reads_pca)

    def restore(self, model: ScMPT) -> None:
        """Keep a model of an earlier, killed call."""
        features = side_by_side(self.place.vectors, tuple(model.encoders))
        logits = predict_logits(model.head, features, self.place.device)
        self.fitted[model.name] = model
        self.proba[model.name] = model.sureness.proba(logits)
