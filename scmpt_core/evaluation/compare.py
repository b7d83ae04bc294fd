"""Each encoder + MLP, their fusion, PCA + MLP and the majority class, on the same splits."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scmpt_core.data import Split
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_OPTIONS, Encoder, EncoderOptions
from scmpt_core.errors import SettingError
from scmpt_core.evaluation.comparison import Comparison, Run
from scmpt_core.fusion import (
    ScMPT,
    Task,
    Trained,
    assemble,
    embed,
    fit_encoders,
    load,
    load_encoders,
    model_name,
    predict_proba,
    save,
    side_by_side,
    train_head,
    training_windows,
)
from scmpt_core.metrics import score
from scmpt_core.progress import Progress, part, silent

BASELINE = "pca"
MAJORITY = "majority"


def planned_models(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The encoders of each row: every one alone, all of them fused, the baseline.

    Raises
    ------
    SettingError
        None or one twice is named.
    """
    names = tuple(names)
    if not names or len(set(names)) < len(names):
        raise SettingError(f"Encoders named: {list(names)}.", "Name each encoder once.")
    singles = [(n,) for n in dict.fromkeys([*names, BASELINE])]
    return singles[: len(names)] + ([names] if len(names) > 1 else []) + singles[len(names) :]


def compare(
    dataset: str,
    task: Task,
    names: Sequence[str],
    seeds: int,
    store: EmbeddingStore,
    device: Device,
    progress: Progress = silent,
    keep: Path | None = None,
    embedding_share: float = 0.5,
    options: EncoderOptions = DEFAULT_OPTIONS,
) -> Comparison:
    """Fit and test every model on every split of seeds 0 … ``seeds`` − 1.

    Rows: ``<encoder>+mlp`` each, ``scmpt`` over exactly ``names`` where there are two or more
    (a fusion of one is that one), ``pca+mlp``, ``majority``.

    Parameters
    ----------
    keep
        A folder for finished runs and the first split's models: a call that was killed goes on
        after its last finished run. It serves one set of arguments.
    embedding_share
        Share of the time that embedding is expected to take, for ``progress``.

    Raises
    ------
    SettingError
        ``seeds`` is below 1, or an encoder is named twice or unknown.
    """
    if seeds < 1:
        raise SettingError(f"--seeds is {seeds}; at least 1 is needed.", "Give a count such as 3.")
    models = planned_models(names)
    loaded = load_encoders([n for (n,) in (m for m in models if len(m) == 1)], device, options)
    plan = [(seed, fold, s) for seed in range(seeds) for fold, s in enumerate(task.splits(seed))]
    frozen = {n: e for n, e in loaded.items() if not e.info.fitted}
    embeddings = {}
    if frozen:
        embeddings = embed(frozen, task.cells, store, part(progress, 0, embedding_share))
    kept = _Kept(keep)
    runs: list[Run] = []
    for i, (seed, fold, split) in enumerate(plan):
        encoders = fit_encoders(loaded, task.cells, split.train)
        fitted = {n: e for n, e in encoders.items() if e.info.fitted}
        vectors = embeddings | embed(fitted, task.cells, store)
        if i == 0:
            first = _First(task, split, encoders, vectors, dataset)
        for j, model in enumerate(models):
            done, total = i * len(models) + j, len(plan) * len(models)
            start = embedding_share + (1 - embedding_share) * done / total
            end = embedding_share + (1 - embedding_share) * (done + 1) / total
            report = _named(part(progress, start, end), i, len(plan), model_name(model))
            run = kept.run(seed, fold, model_name(model))
            if run is None:
                out = train_head(task, split, vectors, model, seed, device, report)
                if i == 0:
                    first.add(out, seed, device)
                    kept.save_model(first.fitted[out.name])
                run = Run(out.name, model, seed, fold, out.scores, out.seconds, out.fit.history)
                kept.save_run(run)
            elif i == 0:
                first.restore(kept.load_model(model_name(model), device), device)
            runs.append(run)
        runs.append(_majority(task, split, seed, fold))
    progress(1.0, "done")
    return Comparison(
        dataset, task, tuple(s for _, _, s in plan), tuple(runs), first.vectors, first.fitted,
        first.proba,
    )  # fmt: skip


def _named(step: Progress, i: int, n: int, name: str) -> Progress:
    return lambda fraction, message: step(fraction, f"split {i + 1} of {n}: {name}, {message}")


class _First:
    """The models of the first split, and their probabilities for every cell."""

    def __init__(
        self,
        task: Task,
        split: Split,
        encoders: dict[str, Encoder],
        vectors: dict[str, np.ndarray],
        dataset: str,
    ) -> None:
        self.task, self.split, self.encoders, self.vectors = task, split, encoders, vectors
        self.dataset = dataset
        self.windows = training_windows(encoders, task, split)
        self.fitted: dict[str, ScMPT] = {}
        self.proba: dict[str, np.ndarray] = {}

    def add(self, trained: Trained, seed: int, device: Device) -> None:
        """Keep a model just trained."""
        self.restore(
            assemble(
                self.task, self.split, self.encoders, self.windows, trained, seed, device,
                self.dataset,
            ),
            device,
        )  # fmt: skip

    def restore(self, model: ScMPT, device: Device) -> None:
        """Keep a model of an earlier, killed call."""
        features = side_by_side(self.vectors, tuple(model.encoders))
        self.fitted[model.name] = model
        self.proba[model.name] = predict_proba(model.head, features, device)


@dataclass(frozen=True)
class _Kept:
    """Finished runs on disk; without a folder nothing is kept."""

    folder: Path | None

    def _run_file(self, seed: int, fold: int, model: str) -> Path | None:
        return None if self.folder is None else self.folder / f"run-{seed}-{fold}-{model}.json"

    def run(self, seed: int, fold: int, model: str) -> Run | None:
        file = self._run_file(seed, fold, model)
        if file is None or not file.exists():
            return None
        return Run.from_json(json.loads(file.read_text(encoding="utf-8")))

    def save_run(self, run: Run) -> None:
        file = self._run_file(run.seed, run.fold, run.model)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary = file.with_suffix(".tmp")
            temporary.write_text(json.dumps(run.to_json(), ensure_ascii=False), encoding="utf-8")
            os.replace(temporary, file)

    def save_model(self, model: ScMPT) -> None:
        if self.folder is not None:
            (self.folder / "models").mkdir(parents=True, exist_ok=True)
            save(model, self.folder / "models" / model.name)

    def load_model(self, name: str, device: Device) -> ScMPT:
        if self.folder is None:
            raise ValueError("nothing is kept")
        return load(self.folder / "models" / name, device)


def _majority(task: Task, split: Split, seed: int, fold: int) -> Run:
    winner = np.bincount(task.codes[split.train], minlength=len(task.classes)).argmax()
    truth = task.codes[split.test]
    scores = score(truth, np.full(len(truth), winner), task.classes)
    return Run(MAJORITY, (), seed, fold, scores, 0.0, ())
