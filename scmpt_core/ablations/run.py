"""Perturb, encode what changed, ask the model again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.ablations.base import AblationInfo, Regime
from scmpt_core.ablations.bench import Bench, Vectors
from scmpt_core.ablations.context import context_of, known_to_all, mean_expression
from scmpt_core.ablations.heads import Judge, Refitter
from scmpt_core.ablations.parts import Parts, find_parts, sample
from scmpt_core.ablations.possible import WHY, obstacle, weighs
from scmpt_core.ablations.request import Request
from scmpt_core.ablations.result import Ablated, Answers
from scmpt_core.cells import Cells
from scmpt_core.data import Dataset, label_values
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError, SettingError
from scmpt_core.fusion import ScMPT, Task, embed
from scmpt_core.fusion.ways import chosen_ways, ways_of
from scmpt_core.markers import MarkerDatabase, Match, find_markers
from scmpt_core.progress import Meter, Progress, part, silent

UNLABELLED = 500  # cells at most, where there are no labels and no number is given
TYPICAL = 500  # training cells that an encoder's mean embedding is taken over


def marker_sets(
    classes: Sequence[str], matches: Sequence[Match], database: MarkerDatabase, genes: np.ndarray
) -> tuple[frozenset[str], ...]:
    """Markers of each class among ``genes``, by the confirmed matches; may be empty."""
    entries = {m.label: m.entry for m in matches if m.confirmed and m.entry is not None}
    return tuple(
        frozenset(find_markers(database.entry(entries[name]), genes).listed_as)
        if name in entries
        else frozenset()
        for name in classes
    )


@dataclass(frozen=True, eq=False)
class Known:
    """What is known about a file's cells besides their expression.

    Parameters
    ----------
    labels
        The type of each cell, (cells,); ``None``: what the model says is looked at.
    groups
        The group (donor) of each cell, (cells,).
    markers
        Markers of each of the model's classes; ``None``: none were given.
    """

    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    markers: tuple[frozenset[str], ...] | None = None

    @classmethod
    def of(
        cls, dataset: Dataset, label: str | None, group: str | None,
        markers: tuple[frozenset[str], ...] | None,
    ) -> Known:  # fmt: skip
        """From a file's columns; it need not have that of the groups a model was trained with."""
        return cls(
            None if label is None else label_values(dataset.obs, label),
            label_values(dataset.obs, group) if group in dataset.obs else None,
            markers,
        )


def ablate(
    model: ScMPT,
    cells: Cells,
    known: Known,
    request: Request,
    store: EmbeddingStore,
    device: Device,
    dataset: str,
    progress: Progress = silent,
    scratch: EmbeddingStore | None = None,
) -> Ablated:
    """What ``model`` says of ``cells`` under each perturbation.

    Parameters
    ----------
    store
        Of unperturbed cells.
    scratch
        Of perturbed ones; by default ``store``.

    Raises
    ------
    DataError
        There is no cell to test on, or a head cannot be refitted on this file: not all training
        cells are in it, or their groups are not.
    ModelError
        The cells measure too little of what the model reads.
    SettingError
        None of the ablations can be made.
    """
    ways = [way.name for way in chosen_ways(model, request.ways)]
    group = model.record.get("group")
    if "refit" in request.regimes and group is not None and known.groups is None:
        raise DataError(
            f"The model was trained with whole groups of {group!r} kept together; the file has no "
            "such column.",
            "Give the file it was trained on, or leave the regime refit out.",
        )
    shared = cells.restrict(set(model.genes))
    model.check_panel(cells)
    codes, shared, groups = _codes(model, shared, known, request, store, device, progress)
    parts = find_parts(model, shared, codes, request.cells, "refit" in request.regimes)
    bench = _bench(model, shared, codes, parts, known, request, store, scratch or store,
                   part(progress, 0.05, 0.2))  # fmt: skip
    infos, skipped = _possible(model, bench, known, request)
    rows = [s for info in infos for s in request.settings(info, tuple(model.encoders))]
    if not rows:
        reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        raise SettingError(f"None of the ablations can be made. {reasons}.", "Name another one.")
    trial = _Trial(
        model, bench, parts, codes[parts.rows],
        None if groups is None else groups[parts.rows], device,
    )  # fmt: skip
    before, after = trial.run(infos, request, ways, part(progress, 0.2, 1))
    progress(1.0, "done")
    mine = parts.rows[parts.test]
    return Ablated(
        model.name, dataset, model.classes, shared.ids[mine], codes[mine],
        known.labels is not None, model.record.get("group"),
        None if groups is None else groups[mine],
        tuple(sorted(rows, key=lambda s: request.regimes.index(s.regime))),
        before, after, dict(bench.encoded), skipped, _described(model, shared, request),
    )  # fmt: skip


def _codes(
    model: ScMPT, cells: Cells, known: Known, request: Request, store: EmbeddingStore,
    device: Device, progress: Progress,
) -> tuple[np.ndarray, Cells, np.ndarray | None]:  # fmt: skip
    """Class codes, the cells they belong to, and their groups."""
    if known.labels is not None:
        place = {name: code for code, name in enumerate(model.classes)}
        codes = np.array([place.get(str(label), -1) for label in known.labels])
        return codes, cells, known.groups
    if "refit" in request.regimes:
        raise SettingError(
            "A head is refitted on known types; none are given.",
            "Name the column of labels, or leave the regime refit out.",
        )
    able = np.diff(cells.expression.indptr) > 0
    tested = able & model.own(cells, "test")
    rows = sample(cells, tested if tested.any() else able, request.cells or UNLABELLED)
    cells = cells.take(rows)
    said = model.predict(cells, store, device, part(progress, 0, 0.05))
    groups = None if known.groups is None else known.groups[rows]
    return np.where(said.unread, -1, said.proba.argmax(axis=1)), cells, groups


def _bench(
    model: ScMPT, cells: Cells, codes: np.ndarray, parts: Parts, known: Known, request: Request,
    store: EmbeddingStore, scratch: EmbeddingStore, progress: Progress,
) -> Bench:  # fmt: skip
    train = model.own(cells, "train")
    every = train if train.any() else np.isin(np.arange(len(cells)), parts.rows)
    mine, wanted = cells.take(parts.rows), [parts.rows]
    if any(info.mix for info in request.chosen):  # else no mean embedding is asked for
        wanted.append(sample(cells, every, TYPICAL))
    vectors, *usual = _embedded(model, cells, wanted, store, progress)
    shared = (
        codes[parts.rows], mean_expression(cells, every), known_to_all(model.encoders, mine.genes),
        known.markers or (), request.gene_set,
    )  # fmt: skip
    contexts = {name: context_of(e, mine, *shared) for name, e in model.encoders.items()}
    centres = {name: x.mean(axis=0) for each in usual for name, x in each.items()}
    return Bench(model.encoders, mine, contexts, vectors, centres, scratch)


def _embedded(
    model: ScMPT, cells: Cells, wanted: list[np.ndarray], store: EmbeddingStore, progress: Progress
) -> list[Vectors]:
    """Embeddings of the cells at each of ``wanted``.

    The whole file's are there already where the model was trained or used on it.
    """
    if all(store.has(encoder, cells) for encoder in model.encoders.values()):
        whole = embed(model.encoders, cells, store, progress)
        return [{name: x[rows] for name, x in whole.items()} for rows in wanted]
    steps = [part(progress, i / len(wanted), (i + 1) / len(wanted)) for i in range(len(wanted))]
    return [
        embed(model.encoders, cells.take(rows), store, step)
        for rows, step in zip(wanted, steps, strict=True)
    ]


def _possible(
    model: ScMPT, bench: Bench, known: Known, request: Request
) -> tuple[list[AblationInfo], dict[str, str]]:
    """The ablations that can be made, and why the others cannot."""
    have = {"counts": bench.cells.counts is not None, "gene set": bool(request.gene_set),
            "markers": any(known.markers or ())}  # fmt: skip
    modalities = [encoder.info.modality for encoder in model.encoders.values()]
    weighted = any(map(weighs, model.encoders.values()))
    found = {info: obstacle(info, modalities, have, weighted) for info in request.chosen}
    skipped = {info.name: WHY[what] for info, what in found.items() if what is not None}
    return [info for info, what in found.items() if what is None], skipped


@dataclass(eq=False)
class _Trial:
    """Asks the judges of both regimes."""

    model: ScMPT
    bench: Bench
    parts: Parts
    codes: np.ndarray  # (rows,)
    groups: np.ndarray | None
    device: Device

    def run(
        self, infos: Sequence[AblationInfo], request: Request, ways: list[str], progress: Progress
    ) -> tuple[dict, dict]:
        """(regime, way) → answers before, and after each setting."""
        refitter = self._refitter()
        first: dict[Regime, Judge] = {}
        if "fixed" in request.regimes:
            first["fixed"] = Judge(ways_of(self.model), self.model.sureness, self.device)
        if "refit" in request.regimes:
            progress(0.0, "the head fitted anew on unperturbed cells")
            first["refit"] = refitter.fit(self.bench.base)
        before, found = {}, {}
        for regime, judge in first.items():
            proba = judge.probabilities(self.bench.base, self.parts.test)
            for way in ways:
                codes = proba[way].argmax(axis=1)
                before[regime, way] = _answers(proba[way], codes, None)
                found[regime, way] = []
        encoders, only = tuple(self.model.encoders), request.regimes[0]
        runs = [(i, s) for i in infos for s in request.settings(i, encoders) if s.regime == only]
        meter = Meter(progress, len(runs), "perturbations", "ablations")
        for info, setting in runs:
            vectors, empty = self.bench.perturbed(info, setting, meter.inside(0.9))
            for regime, judge in first.items():
                asked = judge if regime == "fixed" else refitter.fit(vectors)
                proba = asked.probabilities(vectors, self.parts.test)
                for way in ways:
                    mine = before[regime, way].predicted
                    found[regime, way].append(_answers(proba[way], mine, empty[self.parts.test]))
            meter.add(1)
        after = {
            key: Answers(np.stack([a.predicted for a in each]),
                         np.stack([a.probability for a in each]))
            for key, each in found.items()
        }  # fmt: skip
        return before, after

    def _refitter(self) -> Refitter:
        record = self.model.record
        task = Task(self.bench.cells, record.get("label", ""), self.model.classes, self.codes,
                    record.get("group"), self.groups, ())  # fmt: skip
        return Refitter(self.model, task, self.parts.split, self.bench.base, self.device)


def _answers(proba: np.ndarray, of: np.ndarray, empty: np.ndarray | None) -> Answers:
    """Codes, and the probability of the classes ``of``; 0 for a cell without any gene left."""
    codes, cells = proba.argmax(axis=1), np.arange(len(proba))
    probability = proba[cells, of]
    if empty is not None:
        codes = np.where(empty, proba.shape[1], codes)
        probability = np.where(empty, 0.0, probability)
    return Answers(codes.astype(np.int16), probability.astype(np.float32))


def _described(model: ScMPT, cells: Cells, request: Request) -> dict:
    """The request and the model, as a JSON object."""
    asked = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(request).items()}
    return asked | {
        "gene_set": sorted(request.gene_set), "encoders": list(model.encoders),
        "head": model.head_name, "trained_on": model.record.get("dataset"),
        "label": model.record.get("label"), "normalisation": cells.normalisation,
    }  # fmt: skip
