"""`ScMPT`: encoders, head, how sure it is, and the genes it was trained to read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch

from scmpt_core.calibration import expected_calibration_error
from scmpt_core.cells import Cells
from scmpt_core.data import PARTS, Split
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_OPTIONS, Encoder, EncoderOptions, PCAEncoder
from scmpt_core.errors import ModelError
from scmpt_core.fusion.decide import Decision, Rule, decide
from scmpt_core.fusion.features import embed, fit_encoders, load_encoders, side_by_side
from scmpt_core.fusion.fits import Budget, Data, Fit
from scmpt_core.fusion.heads import Head, get_head
from scmpt_core.fusion.overlap import check_overlap, limits_of, overlaps
from scmpt_core.fusion.own import marks_of, own_cells
from scmpt_core.fusion.plan import ModelSpec
from scmpt_core.fusion.sureness import Sureness
from scmpt_core.fusion.tasks import Task
from scmpt_core.fusion.training import predict_logits
from scmpt_core.metrics import Scores, score
from scmpt_core.progress import Progress, part, silent
from scmpt_core.unknown import UnknownDetector


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of new cells, before any rule turns it into labels.

    Parameters
    ----------
    proba
        Calibrated probabilities, (cells, classes).
    unread
        Whether a cell has no gene that the model reads, (cells,) bool.
    far
        How usual each cell is among cells of known types, a p-value, (cells,).
    members
        Encoder → class code of what its part of the head says alone, (cells,); empty where the
        head has no such parts.
    overlap
        Encoder → share of its training window that the new file measures.
    """

    classes: tuple[str, ...]
    proba: np.ndarray
    unread: np.ndarray
    far: np.ndarray
    members: dict[str, np.ndarray]
    sureness: Sureness
    overlap: dict[str, float]
    shared_genes: int

    @property
    def probability(self) -> np.ndarray:
        """Of the most probable class, (cells,); NaN for cells without a gene that is read."""
        top = self.proba.max(axis=1) if len(self.proba) else np.zeros(0)
        return np.where(self.unread, np.nan, top)

    @property
    def disagree(self) -> np.ndarray | None:
        """Whether the encoders name different types, (cells,) bool."""
        if len(self.members) < 2:
            return None
        codes = np.stack(list(self.members.values()))
        return (codes != codes[0]).any(axis=0)

    def decide(self, rule: Rule) -> Decision:
        """Labels by ``rule``."""
        return decide(
            self.proba, self.classes, self.sureness, rule, self.far, self.disagree, self.unread
        )

    def sets(self, coverage: float) -> np.ndarray:
        """Conformal label sets, (cells, classes) bool; empty for cells that are not read."""
        return self.sureness.sets.sets(self.proba, coverage) & ~self.unread[:, None]


@dataclass(frozen=True, eq=False)
class ScMPT:
    """A fitted model. One encoder gives that encoder + head, several give a fusion."""

    encoders: dict[str, Encoder]
    head: Head
    head_name: str
    classes: tuple[str, ...]
    genes: np.ndarray  # the training file's symbols
    windows: dict[str, np.ndarray]  # encoder → weight of each gene in training: see overlaps()
    sureness: Sureness
    unknown: UnknownDetector
    record: dict  # dataset, task, normalisation, hyper-parameters, scores, seconds: for people
    splits: dict[str, dict[str, str]] = field(default_factory=dict)  # part → see marks_of()

    @property
    def spec(self) -> ModelSpec:
        """Encoders and head."""
        return ModelSpec(tuple(self.encoders), self.head_name)

    @property
    def name(self) -> str:
        """As in the comparison's rows."""
        return self.spec.name

    def own(self, cells: Cells, *parts: str) -> np.ndarray:
        """The cells that it was trained, tested, … on, (cells,) bool; ``parts`` are of PARTS."""
        known: dict[str, str] = {}
        for name in parts:
            known |= self.splits.get(name, {})
        return own_cells(cells, self.genes, known)

    def check_panel(self, cells: Cells) -> dict[str, float]:
        """Encoder → share of its training window that ``cells`` measure.

        Raises
        ------
        ModelError
            One is too small for the labels to be worth anything.
        """
        overlap = overlaps(self.windows, self.genes, cells.genes)
        check_overlap(overlap, limits_of(self.record))
        return overlap

    def predict(
        self, cells: Cells, store: EmbeddingStore, device: Device, progress: Progress = silent
    ) -> Prediction:
        """Judge ``cells``, ranking only the genes that training measured too.

        Raises
        ------
        ModelError
            The cells measure too little of what the encoders read in training.
        """
        overlap = self.check_panel(cells)
        shared = cells.restrict(set(self.genes))
        vectors = embed(self.encoders, shared, store, part(progress, 0, 0.95))
        progress(0.95, f"{self.name}: labels")
        return self.judge(shared, vectors, device, overlap)

    def judge(
        self, shared: Cells, vectors: dict[str, np.ndarray], device: Device,
        overlap: dict[str, float],
    ) -> Prediction:  # fmt: skip
        """As :meth:`predict`, of cells that are embedded already.

        Parameters
        ----------
        shared
            Cells of genes that training measured too.
        vectors
            Encoder → their embeddings, (cells, dimension).
        """
        features = side_by_side(vectors, tuple(self.encoders))
        return Prediction(
            classes=self.classes,
            proba=self.sureness.proba(predict_logits(self.head, features, device)),
            unread=np.diff(shared.expression.indptr) == 0,
            far=self.unknown.novelty(shared, vectors),
            members=member_codes(self.head, vectors, device),
            sureness=self.sureness,
            overlap=overlap,
            shared_genes=len(shared.genes),
        )


@torch.inference_mode()
def member_codes(
    head: Head, vectors: dict[str, np.ndarray], device: Device
) -> dict[str, np.ndarray]:
    """Encoder → class code that its part of ``head`` gives alone, (cells,).

    Empty for heads that mix the encoders before they judge.
    """
    members = getattr(head, "members", ())
    return {
        name: predict_logits(member, x, device).argmax(axis=1)
        for member, (name, x) in zip(members, vectors.items(), strict=False)
    }


@dataclass(frozen=True, eq=False)
class Trained:
    """One model fitted on one split, and its test.

    Parameters
    ----------
    proba
        Calibrated probabilities of the test cells, (test cells, classes).
    ece
        Expected calibration error on the test cells ``before`` and ``after`` the temperature.
    seconds
        Search, fit and prediction; without embedding.
    """

    spec: ModelSpec
    fit: Fit
    sureness: Sureness
    scores: Scores
    proba: np.ndarray
    ece: dict[str, float]
    seconds: float


def train_head(
    task: Task,
    split: Split,
    embeddings: dict[str, np.ndarray],
    spec: ModelSpec,
    budget: Budget,
    seed: int,
    device: Device,
    progress: Progress = silent,
    dense: Mapping[str, Fit] = MappingProxyType({}),
) -> Trained:
    """Choose on validation, calibrate on the calibration cells, test once.

    ``dense`` holds fits of the paper's head to single encoders on this split, by encoder.
    """
    start = time.perf_counter()
    x, y = side_by_side(embeddings, spec.encoders), task.codes
    data = Data(
        (x[split.train], y[split.train]),
        (x[split.validation], y[split.validation]),
        len(task.classes),
        tuple(embeddings[name].shape[1] for name in spec.encoders),
        None if task.groups is None
        else (task.groups[split.train], task.groups[split.validation]),
        tuple(dense.get(name) for name in spec.encoders),
    )  # fmt: skip
    fit = get_head(spec.head).fit(data, budget, seed, device, progress)
    held = predict_logits(fit.head, x[split.calibration], device)
    sureness = Sureness.fit(held, y[split.calibration])
    logits, truth = predict_logits(fit.head, x[split.test], device), y[split.test]
    proba = sureness.proba(logits)
    plain = Sureness.fit(held[:0], y[:0]).proba(logits)  # as the head gives them
    ece = {
        "before": expected_calibration_error(plain, truth),
        "after": expected_calibration_error(proba, truth),
    }
    scores = score(truth, proba.argmax(axis=1), task.classes)
    seconds = time.perf_counter() - start
    return Trained(spec, fit, sureness, scores, proba, ece, seconds)


def train_model(
    task: Task,
    spec: ModelSpec,
    budget: Budget,
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
    encoders = fit_encoders(load_encoders(spec.encoders, device, options), task.cells, split.train)
    embeddings = embed(encoders, task.cells, store, part(progress, 0, 0.8))
    trained = train_head(
        task, split, embeddings, spec, budget, seed, device, part(progress, 0.8, 1)
    )
    windows = training_windows(encoders, task, split)
    unknown = fit_unknown(task, split, encoders, embeddings, seed)
    return assemble(task, split, encoders, windows, trained, unknown, seed, device, dataset)


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
    unknown: UnknownDetector,
    seed: int,
    device: Device,
    dataset: str,
) -> ScMPT:
    """A model that can be saved, out of a fitted head and the encoders it was fitted on."""
    names = trained.spec.encoders
    record = {
        "dataset": dataset,
        "label": task.label,
        "palette": list(task.palette or task.classes),
        "group": task.group,
        "normalisation": task.cells.normalisation,
        "split": {"description": split.description, **split.sizes()},
        "seed": seed,
        "hyperparameters": trained.fit.hyperparameters,
        "test": trained.scores.summary,
        "ece": trained.ece,
        "per_class": trained.scores.per_class,
        "seconds": round(trained.seconds, 2),
        "device": device.reason,
    }
    return ScMPT(
        encoders={name: encoders[name] for name in names},
        head=trained.fit.head,
        head_name=trained.spec.head,
        classes=task.classes,
        genes=task.cells.genes,
        windows={name: windows[name] for name in names},
        sureness=trained.sureness,
        unknown=unknown,
        record=record,
        splits={p: marks_of(task.cells.take(getattr(split, p))) for p in PARTS},
    )


def fit_unknown(
    task: Task,
    split: Split,
    encoders: dict[str, Encoder],
    embeddings: dict[str, np.ndarray],
    seed: int,
) -> UnknownDetector:
    """The detector of strange cells over these encoders, on the split's own cells."""
    pca = next((e for e in encoders.values() if isinstance(e, PCAEncoder)), None)
    return UnknownDetector.fit(
        task.cells, task.codes, split.train, split.calibration, embeddings, seed, pca=pca
    )


def require(condition: bool, message: str, hint: str) -> None:
    """Raise :class:`ModelError` unless ``condition`` holds."""
    if not condition:
        raise ModelError(message, hint)
