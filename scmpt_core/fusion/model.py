"""`ScMPT`: encoders, head, classes and the genes it was trained to read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.data import PARTS, Split
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_OPTIONS, Encoder, EncoderOptions
from scmpt_core.errors import ModelError
from scmpt_core.fusion.features import embed, fit_encoders, load_encoders, side_by_side
from scmpt_core.fusion.heads import ConcatMLP
from scmpt_core.fusion.overlap import check_overlap, overlaps
from scmpt_core.fusion.search import search
from scmpt_core.fusion.tasks import Task
from scmpt_core.fusion.training import Fit, predict_proba
from scmpt_core.metrics import Scores, score
from scmpt_core.progress import Progress, part, silent

UNKNOWN = "Unknown"  # for cells without an expressed gene that the model reads


@dataclass(frozen=True, eq=False)
class Prediction:
    """Labels of new cells.

    Parameters
    ----------
    labels, probability
        (cells,); the head's softmax, not calibrated. ``Unknown`` and NaN for cells without any
        gene that the model reads.
    proba
        (cells, classes).
    overlap
        Encoder → share of its training window that the new file measures.
    """

    labels: np.ndarray
    probability: np.ndarray
    proba: np.ndarray
    overlap: dict[str, float]
    shared_genes: int


@dataclass(frozen=True, eq=False)
class ScMPT:
    """A fitted model. One encoder gives that encoder + MLP, several give the fusion."""

    encoders: dict[str, Encoder]
    head: ConcatMLP
    classes: tuple[str, ...]
    genes: np.ndarray  # the training file's symbols
    windows: dict[str, np.ndarray]  # encoder → weight of each gene in its training windows
    record: dict  # dataset, task, normalisation, hyper-parameters, scores, seconds: for people
    split_ids: dict[str, list[str]]  # part → ids of its cells

    @property
    def name(self) -> str:
        """``scmpt`` for a fusion, ``<encoder>+mlp`` otherwise."""
        return model_name(tuple(self.encoders))

    def predict(
        self, cells: Cells, store: EmbeddingStore, device: Device, progress: Progress = silent
    ) -> Prediction:
        """Label ``cells``, ranking only the genes that training measured too.

        Raises
        ------
        ModelError
            The cells measure too little of what the encoders read in training.
        """
        overlap = overlaps(self.windows, self.genes, cells.genes)
        check_overlap(overlap)
        shared = cells.restrict(set(self.genes))
        features = side_by_side(embed(self.encoders, shared, store, progress), tuple(self.encoders))
        proba = predict_proba(self.head, features, device)
        labels = np.array(self.classes)[proba.argmax(axis=1)].astype(object)
        probability = proba.max(axis=1).astype(np.float64)
        empty = np.diff(shared.expression.indptr) == 0
        labels[empty], probability[empty] = UNKNOWN, np.nan
        return Prediction(labels.astype(str), probability, proba, overlap, len(shared.genes))


def model_name(encoders: Sequence[str]) -> str:
    """Name of the model over ``encoders``, as in the comparison's rows."""
    return f"{encoders[0]}+mlp" if len(encoders) == 1 else "scmpt"


@dataclass(frozen=True, eq=False)
class Trained:
    """One model fitted on one split, and its test."""

    name: str
    encoders: tuple[str, ...]
    fit: Fit
    scores: Scores
    proba: np.ndarray  # (test cells, classes)
    seconds: float  # grid, fit and prediction; without embedding


def train_head(
    task: Task,
    split: Split,
    embeddings: dict[str, np.ndarray],
    names: Sequence[str],
    seed: int,
    device: Device,
    progress: Progress = silent,
) -> Trained:
    """Choose on validation, test once."""
    start = time.perf_counter()
    x, y = side_by_side(embeddings, names), task.codes
    fit = search(
        (x[split.train], y[split.train]), (x[split.validation], y[split.validation]),
        len(task.classes), seed, device, progress,
        blocks=[embeddings[name].shape[1] for name in names],
    )  # fmt: skip
    proba = predict_proba(fit.head, x[split.test], device)
    scores = score(y[split.test], proba.argmax(axis=1), task.classes)
    seconds = time.perf_counter() - start
    return Trained(model_name(names), tuple(names), fit, scores, proba, seconds)


def train_model(
    task: Task,
    names: Sequence[str],
    seed: int,
    store: EmbeddingStore,
    device: Device,
    dataset: str,
    progress: Progress = silent,
    options: EncoderOptions = DEFAULT_OPTIONS,
) -> ScMPT:
    """Embed, fit and test one model on the split of ``seed``.

    With groups there are several splits; the first of that seed is used.
    """
    split = task.splits(seed)[0]
    encoders = fit_encoders(load_encoders(names, device, options), task.cells, split.train)
    embeddings = embed(encoders, task.cells, store, part(progress, 0, 0.8))
    trained = train_head(task, split, embeddings, names, seed, device, part(progress, 0.8, 1))
    windows = training_windows(encoders, task, split)
    return assemble(task, split, encoders, windows, trained, seed, device, dataset)


def training_windows(
    encoders: dict[str, Encoder], task: Task, split: Split
) -> dict[str, np.ndarray]:
    """Encoder → weight of each gene in its windows over the training cells, (genes,)."""
    cells = task.cells.take(split.train)
    return {name: encoder.window(cells) for name, encoder in encoders.items()}


def assemble(
    task: Task,
    split: Split,
    encoders: dict[str, Encoder],
    windows: dict[str, np.ndarray],
    trained: Trained,
    seed: int,
    device: Device,
    dataset: str,
) -> ScMPT:
    """A model that can be saved, out of a fitted head and the encoders it was fitted on."""
    record = {
        "dataset": dataset,
        "label": task.label,
        "palette": list(task.palette or task.classes),
        "group": task.group,
        "normalisation": task.cells.normalisation,
        "split": {"description": split.description, **split.sizes()},
        "seed": seed,
        "hyperparameters": trained.fit.hyperparameters.to_json(),
        "test": trained.scores.summary,
        "per_class": trained.scores.per_class,
        "seconds": round(trained.seconds, 2),
        "device": device.reason,
    }
    return ScMPT(
        encoders={name: encoders[name] for name in trained.encoders},
        head=trained.fit.head,
        classes=task.classes,
        genes=task.cells.genes,
        windows={name: windows[name] for name in trained.encoders},
        record=record,
        split_ids={p: task.cells.ids[getattr(split, p)].tolist() for p in PARTS},
    )


def require(condition: bool, message: str, hint: str) -> None:
    """Raise :class:`ModelError` unless ``condition`` holds."""
    if not condition:
        raise ModelError(message, hint)
