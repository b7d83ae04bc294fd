"""Explain some cells of each type by several methods; what is finished survives a stop."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from scmpt_core.attribution.base import CellScores, Options
from scmpt_core.attribution.methods import get_method
from scmpt_core.attribution.result import Attribution, Source
from scmpt_core.attribution.subject import Subject
from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError, SettingError
from scmpt_core.fusion import ScMPT
from scmpt_core.fusion.ways import Way, chosen_ways
from scmpt_core.progress import Meter, Progress, part, silent

DEFAULTS = Options()


@dataclass(frozen=True)
class Request:
    """What to explain, and how.

    Parameters
    ----------
    methods
        Names in ``METHODS``.
    cells
        Cells of each type, at most.
    types
        Class names; ``None``: all that have a cell.
    ways
        Names of the parts of the model; ``None``: all.
    seeds
        Of methods that draw; the others run once.
    """

    methods: tuple[str, ...] = ("ig",)
    cells: int = 5
    types: tuple[str, ...] | None = None
    ways: tuple[str, ...] | None = None
    seeds: int = 1
    options: Options = DEFAULTS

    def __post_init__(self) -> None:
        if not self.methods or len(set(self.methods)) != len(self.methods):
            raise SettingError(f"Methods named: {list(self.methods)}.", "Name each once.")
        for name in self.methods:
            get_method(name)
        for name, value, most in (("cells", self.cells, 1_000), ("seeds", self.seeds, 20)):
            if not 1 <= value <= most:
                raise SettingError(f"{name} is {value}.", f"Give a number between 1 and {most:,}.")

    def draws(self) -> list[tuple[str, int]]:
        """Method and seed of each run over the cells."""
        return [
            (name, seed)
            for name in self.methods
            for seed in range(self.seeds if get_method(name).seeded else 1)
        ]


def attribute(
    model: ScMPT,
    cells: Cells,
    labels: np.ndarray | None,
    request: Request,
    store: EmbeddingStore,
    device: Device,
    dataset: str,
    progress: Progress = silent,
    keep: Path | None = None,
) -> Attribution:
    """Explain ``request.cells`` cells of each type.

    Parameters
    ----------
    labels
        The file's own label of each cell, (cells,); the logit of that type is explained, in cells
        that the model was tested on where they are in the file. ``None``: the type is what the
        model predicts.
    keep
        A folder for finished cells: a call that was killed goes on after its last.

    Raises
    ------
    DataError
        No cell has a type that the model knows.
    ModelError
        The cells measure too little of what the model reads.
    """
    ways = chosen_ways(model, request.ways)
    shared = cells.restrict(set(model.genes))
    progress(0.0, f"{model.name}: labels")
    if labels is None:
        said = model.predict(cells, store, device, part(progress, 0, 0.1))
        codes = np.where(said.unread, -1, said.proba.argmax(axis=1))
    else:
        model.check_panel(cells)
        place = {name: code for code, name in enumerate(model.classes)}
        codes = np.array([place.get(str(label), -1) for label in labels])
    rows = choose(shared, codes, model, request)
    kept = Kept(keep, _digest(model, shared, request))
    found = _explain(model, shared, rows, codes, ways, request, device, kept,
                     part(progress, 0.1, 1))  # fmt: skip
    progress(1.0, "done")
    return _assemble(model, dataset, shared, rows, codes, labels is not None, ways, request, found)


def choose(cells: Cells, codes: np.ndarray, model: ScMPT, request: Request) -> np.ndarray:
    """Positions of the cells to explain, rising by type: of its test cells where there are any.

    Drawn by the cells' ids, so that neither the order of the file nor other types matter.
    """
    names = model.classes if request.types is None else request.types
    if unknown := [name for name in names if name not in model.classes]:
        raise SettingError(
            f"The model knows no type {', '.join(unknown)}.",
            f"It knows: {', '.join(model.classes)}.",
        )
    readable = np.diff(cells.expression.indptr) > 0
    tested = np.isin(cells.ids, model.split_ids.get("test", []))
    partly = tested.any()
    if not partly:
        tested = np.ones(len(cells), dtype=bool)  # another file: the model has seen none of it
    draws = [hashlib.blake2b(str(i).encode(), digest_size=8).digest() for i in cells.ids]
    rows = []
    for name in names:
        mine = np.flatnonzero((codes == model.classes.index(name)) & tested & readable)
        rows += sorted(mine, key=lambda row: draws[row])[: request.cells]
    lacking = set(names) - {model.classes[code] for code in codes[rows]}
    if not rows or (request.types is not None and lacking):
        raise DataError(
            f"No cell{' that the model was tested on' * bool(partly)} has the type "
            f"{', '.join(name for name in names if name in lacking)}.",
            "Name the column of labels that the model was trained on, or leave it out.",
        )
    return np.array(rows)


def _explain(
    model: ScMPT, cells: Cells, rows: np.ndarray, codes: np.ndarray, ways: list[Way],
    request: Request, device: Device, kept: Kept, progress: Progress,
) -> list[dict]:  # fmt: skip
    """Of each cell: ``whole``, ``seen`` and, by method and seed, the scores of each way."""
    draws = request.draws()
    meter = Meter(progress, len(rows) * len(draws), "explanations", "attribution")
    out = []
    for row in rows:
        subject = Subject(cells.take(np.array([row])), model.encoders, ways, device)
        target = int(codes[row])
        done: dict = {
            "columns": subject.columns,
            "whole": subject.whole,
            "seen": {way.name: subject.seen(way) for way in ways},
        }
        for method, seed in draws:
            scores = kept.load(row, target, method, seed, ways)
            if scores is None:
                subject.progress = meter.inside(1)
                scores = get_method(method).explain(subject, target, request.options, seed)
                kept.save(row, target, method, seed, scores)
            done[method, seed] = scores
            meter.add(1)
        out.append(done)
    return out


def _assemble(
    model: ScMPT, dataset: str, cells: Cells, rows: np.ndarray, codes: np.ndarray, known: bool,
    ways: list[Way], request: Request, found: list[dict],
) -> Attribution:  # fmt: skip
    shape = (len(rows), len(cells.genes))
    indptr = np.concatenate([[0], np.cumsum([len(done["columns"]) for done in found])])
    indices = np.concatenate([done["columns"] for done in found])

    def matrix(values: Sequence[np.ndarray]) -> sp.csr_matrix:
        data = np.concatenate(values).astype(np.float32)
        made = sp.csr_matrix((data, indices.copy(), indptr.copy()), shape=shape)
        made.eliminate_zeros()
        return made

    sources = [Source(m, way.name, seed) for m, seed in request.draws() for way in ways]
    at = {s: [done[s.method, s.seed][s.way] for done in found] for s in sources}
    settings = {
        "methods": list(request.methods), "cells": request.cells, "seeds": request.seeds,
        "types": None if request.types is None else list(request.types),
        "options": asdict(request.options), "encoders": list(model.encoders),
        "head": model.head_name, "trained_on": model.record.get("dataset"),
        "label": model.record.get("label"), "normalisation": cells.normalisation,
    }  # fmt: skip
    return Attribution(
        model.name, dataset, model.classes, cells.genes, cells.ids[rows], codes[rows], known,
        {way.name: np.array([d["whole"][way.name].argmax() for d in found]) for way in ways},
        sp.csr_matrix(cells.expression[rows]),
        {way.name: matrix([done["seen"][way.name] for done in found]) for way in ways},
        {source: matrix([each.scores for each in at[source]]) for source in sources},
        {
            source: {
                name: np.array([each.quality[name] for each in at[source]])
                for name in at[source][0].quality
            }
            for source in sources
        },
        settings,
    )  # fmt: skip


def _digest(model: ScMPT, cells: Cells, request: Request) -> str:
    """Of all that the scores depend on besides the cell, its target, the method and the seed."""
    digest = hashlib.blake2b(digest_size=12)
    about = [cells.fingerprint, {n: e.identity() for n, e in model.encoders.items()},
             asdict(request.options), list(request.ways or ())]  # fmt: skip
    digest.update(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(model.head.state_dict().items()):
        digest.update(name.encode() + np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Kept:
    """Scores of finished cells on disk."""

    folder: Path | None
    digest: str

    def _file(self, row: int, target: int, method: str, seed: int) -> Path:
        return self.folder / f"{self.digest}-{row}-{target}-{method}-{seed}.npz"

    def load(
        self, row: int, target: int, method: str, seed: int, ways: list[Way]
    ) -> dict[str, CellScores] | None:
        """What was saved, ``None`` where there is nothing whole."""
        if self.folder is None or not (file := self._file(row, target, method, seed)).is_file():
            return None
        with np.load(file, allow_pickle=False) as arrays:
            quality = json.loads(str(arrays["quality"]))
            return {
                way.name: CellScores(arrays[f"scores:{i}"], quality[i])
                for i, way in enumerate(ways)
            }

    def save(
        self, row: int, target: int, method: str, seed: int, scores: dict[str, CellScores]
    ) -> None:
        """Under its final name only when it is whole."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self._file(row, target, method, seed)
        temporary = file.with_name(f"{file.stem}.part.npz")
        arrays = {f"scores:{i}": each.scores for i, each in enumerate(scores.values())}
        quality = json.dumps([each.quality for each in scores.values()])
        np.savez(temporary, quality=np.array(quality), **arrays)
        os.replace(temporary, file)
