"""What the benchmark of forecasts is run on: each set and parts of it, forecast and trained."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.sets import open_set, sampled
from scmpt_core import fusion
from scmpt_core.data import MIN_CLASS
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_FUSED, Encoder, get_spec
from scmpt_core.evaluation import get_effort
from scmpt_core.forecast import CELLS, FUSED, Case, Probed, Sample, ask, draw, kinds_of
from scmpt_core.metrics import score
from scmpt_core.progress import silent
from scmpt_core.settings import get_settings

ROWS = (*DEFAULT_FUSED, FUSED)
KINDS = kinds_of(ROWS, {name: get_spec(name).info.modality for name in DEFAULT_FUSED})
TESTED, LEAST, MOST = 500, 2, 10  # cells tested in all; splits of a case
LARGEST = 2000  # cells of a part
LARGEST_SET = 4000  # cells of a set; of kang2018 as many are drawn, by class


@dataclass(frozen=True, eq=False)
class Held:
    """One case: what each probe said, and what training showed.

    Parameters
    ----------
    trained
        Macro F1 of each of ``ROWS``, mean over splits.
    """

    source: str
    name: str
    cells: int
    classes: int
    probed: dict[str, Probed]
    trained: np.ndarray

    def case(self, probe: str) -> Case:
        """As a calibration sees it."""
        return Case(self.source, KINDS, self.probed[probe], self.trained)

    def save(self, file: Path) -> None:
        """Write it, whole or not at all."""
        probed = {
            name: {"values": p.values.tolist(), "resamples": p.resamples.round(6).tolist()}
            for name, p in self.probed.items()
        }
        text = json.dumps(vars(self) | {"probed": probed, "trained": self.trained.tolist()})
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".tmp")
        temporary.write_text(text)
        os.replace(temporary, file)

    @classmethod
    def read(cls, file: Path) -> Held:
        """Back from :meth:`save`."""
        value = json.loads(file.read_text())
        probed = {
            name: Probed(ROWS, np.array(p["values"]), np.array(p["resamples"]))
            for name, p in value["probed"].items()
        }
        return cls(**(value | {"probed": probed, "trained": np.array(value["trained"])}))


def some_of(task: fusion.Task, seed: int) -> np.ndarray:
    """Positions of a drawn part: two types at least, 30 % of their cells at least."""
    rng = np.random.default_rng(seed)
    n = len(task.classes)
    kept = rng.choice(n, rng.integers(max(2, n // 2), n + 1), replace=False)
    rows = np.flatnonzero(np.isin(task.codes, kept))
    count = min(LARGEST, int(len(rows) * rng.uniform(0.3, 1)))
    few = [rng.permutation(rows[task.codes[rows] == code])[:MIN_CLASS] for code in kept]
    rest = np.setdiff1d(rows, np.concatenate(few))
    more = rng.permutation(rest)[: max(0, count - sum(map(len, few)))]
    return np.sort(np.concatenate([*few, more]))


def taken(task: fusion.Task, rows: np.ndarray) -> fusion.Task:
    """The task of these labelled cells alone."""
    kept, codes = np.unique(task.codes[rows], return_inverse=True)
    return replace(
        task, cells=task.cells.take(rows), codes=codes.astype(np.int64),
        classes=tuple(task.classes[code] for code in kept),
        groups=None if task.groups is None else task.groups[rows],
    )  # fmt: skip


def trained(
    task: fusion.Task, encoders: dict[str, Encoder], vectors: dict[str, np.ndarray], device: Device
) -> np.ndarray:
    """Macro F1 of each of ``ROWS``, mean over splits."""
    wanted = int(np.clip(np.ceil(TESTED / (0.2 * len(task.codes))), LEAST, MOST))
    splits = [(seed, s) for seed in range(wanted) for s in task.splits(seed)][:wanted]
    budget, found = get_effort("quick").budget, []
    spec = fusion.ModelSpec(DEFAULT_FUSED, "stacking")
    for seed, split in splits:
        fitted = fusion.fit_encoders(encoders, task.cells, split.train)
        own = {n: e.encode(task.cells, silent) for n, e in fitted.items() if n not in vectors}
        done = fusion.train_head(task, split, vectors | own, spec, budget, seed, device)
        head = done.fit.head.cpu()
        x = torch.from_numpy(fusion.side_by_side(vectors | own, DEFAULT_FUSED)[split.test])
        with torch.no_grad():  # the members are the linear heads of the encoders alone
            answers = [*head.votes(x).argmax(-1).numpy(), done.proba.argmax(axis=1)]
        truth = task.codes[split.test]
        found.append([score(truth, a, task.classes).macro_f1 for a in answers])
    return np.mean(found, axis=0)


def hold(
    source: str, name: str, task: fusion.Task, encoders: dict[str, Encoder],
    vectors: dict[str, np.ndarray], device: Device,
) -> Held:  # fmt: skip
    """Forecast from a sample, then train."""
    rows = draw(task.codes, task.cells.ids, CELLS, 0)
    mine = {n: x[rows] for n, x in vectors.items()}
    sample = Sample.of(
        task, rows, encoders, mine, 0, lambda e, cells, report: e.encode(cells, report)
    )
    shown = trained(task, encoders, vectors, device)
    return Held(source, name, len(task.codes), len(task.classes), ask(sample, 0), shown)


def cases_of(
    source: str, folder: Path, subsets: int, keep: Path | None, device: Device
) -> list[Held]:
    """The set and its parts, from disk where they are there."""
    names = [source, *(f"{source} {i}" for i in range(1, subsets + 1))]
    files = [None if keep is None else keep / f"{name.replace(' ', '-')}.json" for name in names]
    if all(file is not None and file.exists() for file in files):
        return [Held.read(file) for file in files]
    task = sampled(open_set(source, folder)[1], LARGEST_SET)
    encoders = fusion.load_encoders(DEFAULT_FUSED, device)
    frozen = {n: e for n, e in encoders.items() if not e.info.fitted}
    vectors = fusion.embed(frozen, task.cells, EmbeddingStore(get_settings().embeddings))
    out = []
    for i, (name, file) in enumerate(zip(names, files, strict=True)):
        if file is not None and file.exists():
            out.append(Held.read(file))
            continue
        rows = some_of(task, i) if i else np.flatnonzero(task.codes >= 0)
        mine = {n: x[rows] for n, x in vectors.items()}
        out.append(hold(source, name, taken(task, rows), encoders, mine, device))
        if file is not None:
            out[-1].save(file)
    return out
