"""Make the card: shifts on the saved model, types and groups held back from new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from scmpt_core.ablations.base import AblationInfo
from scmpt_core.data import MIN_CLASS
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError
from scmpt_core.fusion import ScMPT, Task, embed, train_model
from scmpt_core.fusion.folder import options_of
from scmpt_core.fusion.search import QUICK
from scmpt_core.progress import Meter, Progress, silent
from scmpt_core.robustness.card import Card, Held, Outcome
from scmpt_core.robustness.trial import (
    RULE,
    outcome,
    refusal,
    shifted,
    shifts,
    unlimited,
)

MOST_GROUPS = 5


def make_card(
    model: ScMPT,
    task: Task,
    store: EmbeddingStore,
    device: Device,
    dataset: str,
    progress: Progress = silent,
    scratch: EmbeddingStore | None = None,
) -> Card:
    """Try the model, Unknown switched on by the usual rule, on its own test cells and on others.

    Parameters
    ----------
    task
        The file, label and groups that the model was trained on.
    store, scratch
        Of unperturbed and of perturbed cells.

    Raises
    ------
    DataError
        The model was trained on other cells or types.
    """
    if task.classes != model.classes:
        raise DataError(
            f"The model knows {', '.join(model.classes)}; the file has {', '.join(task.classes)}.",
            "Give the file and the column that it was trained on.",
        )
    test = np.flatnonzero(model.own(task.cells, "test"))
    if not len(test) or len(test) != len(model.splits["test"]):
        raise DataError(
            f"{len(test):,} of the {len(model.splits.get('test', {})):,} cells that the model "
            "was tested on are in this file.",
            "Give the file that it was trained on.",
        )
    trial = _Trial(model, task, test, store, scratch or store, device)
    plan = list(trial.plan())
    meter = Meter(progress, len(plan), "trials", "robustness")
    trials = []
    for step in plan:
        found = step(meter.inside(1))
        trials += [] if found is None else [found]
        meter.add(1)
    about = {
        "rule": RULE.to_json(), "seed": int(model.record.get("seed", 0)), "group": task.group,
        "label": task.label, "left_out": trial.left_out(trials), "head": model.head_name,
        "budget": QUICK.name, "encoders": list(model.encoders),
    }  # fmt: skip
    return Card(model.name, dataset, tuple(trials), about)


@dataclass(frozen=True, eq=False)
class _Trial:
    model: ScMPT
    task: Task
    test: np.ndarray
    store: EmbeddingStore
    scratch: EmbeddingStore
    device: Device

    @property
    def names(self) -> np.ndarray:
        """The true type of each cell of the file, (cells,)."""
        return np.append(self.task.classes, "")[self.task.codes]

    def plan(self) -> Iterator:
        """What to do, one call a trial."""
        yield self.plain
        for info, strength in shifts(self.task.cells.counts is not None):
            yield lambda progress, i=info, s=strength: self.shift(i, s, progress)
        for code in self.types():
            yield lambda progress, c=code: self.unseen(c, progress)
        for group in self.groups():
            yield lambda progress, g=group: self.one_group(g, progress)

    def left_out(self, made: list[Held]) -> dict[str, str]:
        """What could not be tried, and why."""
        done = {trial.name for trial in made if trial.kind == "unseen type"}
        lacking = [self.task.classes[code] for code in self.types()]
        out = {
            name: "no group that was tested on has cells of it"
            for name in lacking if name not in done
        }  # fmt: skip
        if self.task.cells.counts is None:
            out["depth"] = "the file holds no counts"
        if len(self.task.classes) < 3:
            out["unseen types"] = "with two types, one would be left to learn"
        if self.task.groups is None:
            out["one group"] = "the model was not trained with groups"
        return out

    def plain(self, progress: Progress) -> Held:
        return Held("as trained", "as trained", self._judged(self.model, self.test))

    def shift(self, info: AblationInfo, strength: float | None, progress: Progress) -> Held:
        cells, codes = self.task.cells.take(self.test), self.task.codes[self.test]
        there = shifted(cells, codes, self.model.encoders, info, strength)
        said = unlimited(self.model).predict(there, self.scratch, self.device, progress)
        return Held("shift", info.title, outcome([said], [self.names[self.test]]), strength,
                    refusal(self.model, there))  # fmt: skip

    def types(self) -> range:
        return range(len(self.task.classes) if len(self.task.classes) > 2 else 0)

    def unseen(self, code: int, progress: Progress) -> Held | None:
        """Trained without one type: its own cells, and the known cells of that model's test part.

        With groups, only its cells of the test groups: the others' groups were trained on.
        ``None`` where these hold none.
        """
        left = self.task.codes == code
        model = self._trained(np.where(left, -1, self.task.codes), progress)
        known = np.flatnonzero(model.own(self.task.cells, "test"))
        if self.task.groups is not None:
            left &= np.isin(self.task.groups, self.task.groups[known])
        strange = np.flatnonzero(left)
        if not len(strange):
            return None
        return Held(
            "unseen type", self.task.classes[code],
            replace(self._judged(model, strange), forced=None), known=self._judged(model, known),
        )  # fmt: skip

    def groups(self) -> list[str]:
        """Groups that hold enough cells of two types, the largest first."""
        if self.task.groups is None:
            return []
        able = []
        for group in np.unique(self.task.groups[self.task.codes >= 0]):
            mine = self.task.codes[(self.task.groups == group) & (self.task.codes >= 0)]
            if group and (np.bincount(mine) >= MIN_CLASS).sum() >= 2:
                able.append((len(mine), str(group)))
        return [name for _, name in sorted(able, reverse=True)[:MOST_GROUPS]]

    def one_group(self, group: str, progress: Progress) -> Held:
        """Trained on one group, split at random; asked about all cells of the others."""
        mine = self.task.groups == group
        model = self._trained(np.where(mine, self.task.codes, -1), progress, grouped=False)
        others = np.flatnonzero(~mine & (self.task.codes >= 0))
        return Held("one group", group, self._judged(model, others))

    def _trained(self, codes: np.ndarray, progress: Progress, grouped: bool = True) -> ScMPT:
        """A model like ours on the cells that still have a class of at least ``MIN_CLASS``."""
        counts = np.bincount(codes[codes >= 0], minlength=len(self.task.classes))
        kept = np.flatnonzero(counts >= MIN_CLASS)
        place = np.full(len(self.task.classes) + 1, -1)  # the last is −1, no class
        place[kept] = np.arange(len(kept))
        task = replace(
            self.task, codes=place[codes], classes=tuple(self.task.classes[c] for c in kept),
            groups=self.task.groups if grouped else None,
            group=self.task.group if grouped else None,
        )  # fmt: skip
        seed = int(self.model.record.get("seed", 0))
        return train_model(
            task, self.model.spec, QUICK, seed, self.store, self.device, "robustness", progress,
            options_of([encoder.identity() for encoder in self.model.encoders.values()]),
        )  # fmt: skip

    def _judged(self, model: ScMPT, rows: np.ndarray) -> Outcome:
        """Of cells of this file, whose embeddings are there already."""
        whole = embed(model.encoders, self.task.cells, self.store)
        vectors = {name: x[rows] for name, x in whole.items()}
        said = model.judge(self.task.cells.take(rows), vectors, self.device, {})
        return outcome([said], [self.names[rows]])
