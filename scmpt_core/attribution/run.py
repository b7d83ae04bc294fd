"""Explain some cells of each type by several methods; what is finished survives a stop."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from scmpt_core.attribution.base import Options
from scmpt_core.attribution.exact import exact_encoders
from scmpt_core.attribution.kept import Kept
from scmpt_core.attribution.methods import get_method
from scmpt_core.attribution.result import Attribution, Source
from scmpt_core.attribution.subject import Subject
from scmpt_core.cells import Cells
from scmpt_core.data import PARTS
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError, SettingError
from scmpt_core.fusion import Rule, ScMPT
from scmpt_core.fusion.ways import Way, chosen_ways, ways_of
from scmpt_core.progress import Meter, Progress, part, silent

DEFAULTS = Options()
VERSION = 2  # raise when a change to any method alters a score


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
    target
        The class whose logit is explained in every cell, such as the one that it was mistaken for;
        ``None``: each cell's own type.
    ways
        Names of the parts of the model; ``None``: all.
    seeds
        Of methods that draw; the others run once.
    """

    methods: tuple[str, ...] = ("ig",)
    cells: int = 5
    types: tuple[str, ...] | None = None
    target: str | None = None
    ways: tuple[str, ...] | None = None
    seeds: int = 1
    options: Options = DEFAULTS

    def __post_init__(self) -> None:
        if not self.methods or len(set(self.methods)) != len(self.methods):
            raise SettingError(f"Methods named: {list(self.methods)}.", "Name each once.")
        for name in self.methods:
            get_method(name)
        for what, names in (("Types", self.types), ("Parts", self.ways)):
            if names is not None and (not names or len(set(names)) != len(names)):
                raise SettingError(f"{what} named: {list(names)}.", "Name each once, or none.")
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
    labels: np.ndarray,
    request: Request,
    store: EmbeddingStore,
    device: Device,
    dataset: str,
    progress: Progress = silent,
    keep: Path | None = None,
    known: bool = True,
) -> Attribution:
    """Explain ``request.cells`` cells of each type.

    Parameters
    ----------
    labels
        The type of each cell, (cells,), whose logit is explained. Of the file that the model was
        made from, cells that it was tested on are explained.
    keep
        A folder for finished cells: a call that was killed goes on after its last.
    known
        ``labels`` are the file's own; otherwise they are what the model predicts
        (:func:`predicted_types`).

    Raises
    ------
    SettingError
        The model knows no such type or part.
    DataError
        No cell has a type that the model knows.
    ModelError
        The cells measure too little of what the model reads.
    """
    ways = chosen_ways(model, request.ways)
    for name in (*(request.types or ()), *filter(None, [request.target])):
        _code(model, name)  # refused before the long work
    shared = cells.restrict(set(model.genes))
    progress(0.0, f"{model.name}: labels")
    model.check_panel(cells)  # refused before any type is said to be lacking
    place = {name: code for code, name in enumerate(model.classes)}
    codes = np.array([place.get(str(name), -1) for name in labels])
    own = Own(model.own(shared, "test"), model.own(shared, *PARTS))
    rows = choose(shared, codes, own, model.classes, request)
    chosen = shared.take(rows)
    sure = model.predict(chosen, store, device, part(progress, 0, 0.02)).decide(Rule())
    targets = codes[rows]
    if request.target is not None:
        targets = np.full(len(rows), _code(model, request.target))
    kept = Kept(keep, _digest(model, request))
    found = _explain(model, chosen, targets, ways, request, device, kept,
                     part(progress, 0.02, 1))  # fmt: skip
    progress(1.0, "done")
    strange = Counter(str(name) for name in labels[codes < 0]) if known else Counter()
    about = _about(model, chosen, codes[rows], own.take(rows), strange, ways, request, device)
    return _assemble(
        model, dataset, chosen, codes[rows], sure.reasons, known, ways, request, found, about
    )


def predicted_types(
    model: ScMPT, cells: Cells, store: EmbeddingStore, device: Device, progress: Progress = silent
) -> np.ndarray:
    """The most probable class of each cell, (cells,); empty where no gene is read."""
    said = model.predict(cells, store, device, progress)
    return np.where(said.unread, "", np.array(model.classes)[said.proba.argmax(axis=1)])


@dataclass(frozen=True, eq=False)
class Own:
    """The cells that the model was tested on, and all that it was made from, (cells,) bool."""

    tested: np.ndarray
    every: np.ndarray

    def take(self, rows: np.ndarray) -> Own:
        """Of some cells."""
        return Own(self.tested[rows], self.every[rows])


def choose(
    cells: Cells, codes: np.ndarray, own: Own, classes: tuple[str, ...], request: Request
) -> np.ndarray:
    """Positions of the cells to explain, rising by type: of its test cells where there are any.

    Else of cells that it was not made from; only where there is none of these, of its training
    cells. Drawn by the cells' ids, so that neither the order of the file nor other types matter.
    """
    names = classes if request.types is None else request.types
    readable = np.diff(cells.expression.indptr) > 0
    tested, partly = own.tested, own.tested.any()
    if not partly:
        tested = own.every if own.every[codes >= 0].all() else ~own.every
    draws = [hashlib.blake2b(str(i).encode(), digest_size=8).digest() for i in cells.ids]
    rows = []
    for name in names:
        mine = np.flatnonzero((codes == classes.index(name)) & tested & readable)
        rows += sorted(mine, key=lambda row: draws[row])[: request.cells]
    lacking = set(names) - {classes[code] for code in codes[rows]}
    if not rows or (request.types is not None and lacking):
        there = [name for code, name in enumerate(classes) if (codes == code).any()]
        raise DataError(
            f"No cell{' that the model was tested on' * bool(partly)} has the type "
            f"{', '.join(name for name in names if name in lacking)}.",
            f"These cells have: {', '.join(there)}; name some of them."
            if there
            else "Name the column of labels that the model was trained on, or none.",
        )
    return np.array(rows)


def _code(model: ScMPT, name: str) -> int:
    if name not in model.classes:
        raise SettingError(
            f"The model knows no type {name}.", f"It knows: {', '.join(model.classes)}."
        )
    return model.classes.index(name)


def _explain(
    model: ScMPT, cells: Cells, targets: np.ndarray, ways: list[Way], request: Request,
    device: Device, kept: Kept, progress: Progress,
) -> list[dict]:  # fmt: skip
    """Of each cell: ``whole``, ``seen`` and, by method and seed, the scores of each way."""
    draws, encoders = request.draws(), exact_encoders(model, device)
    meter = Meter(progress, len(cells) * len(draws), "explanations", "attribution")
    out = []
    for row, target in enumerate(targets.tolist()):
        cell = cells.take(np.array([row]))
        subject = Subject(cell, encoders, ways, device)
        quick = Subject(cell, model.encoders, ways, device)
        done: dict = {
            "columns": subject.columns,
            "whole": subject.whole,
            "seen": {way.name: subject.seen(way) for way in ways},
        }
        for method, seed in draws:
            info = get_method(method)
            scores = kept.load(cell.fingerprint, target, method, seed, ways)
            if scores is None:
                chosen = subject if info.exact else quick
                chosen.progress = meter.inside(1)
                scores = info.explain(chosen, target, request.options, seed)
                kept.save(cell.fingerprint, target, method, seed, scores)
                meter.add(1)
            else:
                meter.skip(1)
            done[method, seed] = scores
        out.append(done)
    return out


def _about(
    model: ScMPT, cells: Cells, codes: np.ndarray, own: Own, strange: Counter[str],
    ways: list[Way], request: Request, device: Device,
) -> dict:  # fmt: skip
    """All that the scores depend on, which cells they are of, and what was left out."""
    wanted = model.classes if request.types is None else request.types
    there = {model.classes[code] for code in codes}
    formats = {
        name: "float32" if get_method(name).exact else device.dtype_name for name in request.methods
    }
    return {
        "methods": list(request.methods), "cells": request.cells, "seeds": request.seeds,
        "types": None if request.types is None else list(request.types),
        "target": request.target, "parts": [way.name for way in ways],
        "options": asdict(request.options),
        "encoders": list(model.encoders), "number_formats": formats,
        "without_weight": [n for n in model.encoders if n not in ways_of(model)[0].encoders],
        "head": model.head_name, "trained_on": model.record.get("dataset"),
        "trained_label": model.record.get("label"), "normalisation": cells.normalisation,
        "test_cells": int(own.tested.sum()),
        "training_cells": int((own.every & ~own.tested).sum()),
        "types_without_cells": [name for name in wanted if name not in there],
        "labels_not_known": dict(strange.most_common()),
    }  # fmt: skip


def _assemble(
    model: ScMPT, dataset: str, cells: Cells, types: np.ndarray, reasons: np.ndarray, known: bool,
    ways: list[Way], request: Request, found: list[dict], settings: dict,
) -> Attribution:  # fmt: skip
    shape = cells.expression.shape
    indptr = np.concatenate([[0], np.cumsum([len(done["columns"]) for done in found])])
    indices = np.concatenate([done["columns"] for done in found])

    def matrix(values: Sequence[np.ndarray]) -> sp.csr_matrix:
        data = np.concatenate(values).astype(np.float32)
        made = sp.csr_matrix((data, indices.copy(), indptr.copy()), shape=shape)
        made.eliminate_zeros()
        return made

    sources = [Source(m, way.name, seed) for m, seed in request.draws() for way in ways]
    at = {s: [done[s.method, s.seed][s.way] for done in found] for s in sources}
    return Attribution(
        model.name, dataset, model.classes, cells.genes, cells.ids, types, known,
        {way.name: np.array([d["whole"][way.name].argmax() for d in found]) for way in ways},
        reasons, sp.csr_matrix(cells.expression),
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


def _digest(model: ScMPT, request: Request) -> str:
    """Of all that the scores depend on besides the cell, its target, the method and the seed."""
    digest = hashlib.blake2b(digest_size=12)
    about = [VERSION, {n: e.identity() for n, e in model.encoders.items()},
             asdict(request.options), list(request.ways or ())]  # fmt: skip
    digest.update(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(model.head.state_dict().items()):
        digest.update(name.encode() + np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
    return digest.hexdigest()
