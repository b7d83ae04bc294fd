"""The trials of a reference model's robustness card: models like it that lack a study or a type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from scmpt_core.ablations.base import AblationInfo
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import ScMPT
from scmpt_core.robustness import Held, Outcome, outcome, refusal, shifted, shifts, unlimited
from scripts.reference_data import Study, Tissue, known_classes, sampled
from scripts.reference_model import ENCODERS, Machine, Recipe, build, with_record

MOST = 150  # cells of each type of a study asked about


@dataclass(frozen=True, eq=False)
class Asked:
    """A model, and cells of a study that it is asked about."""

    model: ScMPT
    study: Study

    def only(self, keep: np.ndarray) -> Asked:
        """Those cells where ``keep``, (cells,) bool."""
        return Asked(self.model, self.study.take(np.flatnonzero(keep)))

    def of_known_types(self) -> Asked:
        """Those cells whose type the model knows."""
        return self.only(np.isin(self.study.labels, self.model.classes))

    def shifted(self, info: AblationInfo, strength: float | None) -> Asked:
        """The same cells, perturbed."""
        study, classes = self.study, self.model.classes
        codes = np.array([classes.index(label) for label in study.labels])
        cells = shifted(study.cells, codes, ENCODERS, info, strength)
        return Asked(self.model, replace(study, cells=cells))


@dataclass(frozen=True, eq=False)
class Trials:
    """All trials of one reference model.

    Parameters
    ----------
    classes
        Types that are held back once each.
    limits
        Encoder → least overlap of the model that ships; those made for a trial refuse by it too.
    scratch
        Embeddings of cells asked about; those of training cells go through the machine's store.
    made
        Names of studies → the model of them.
    """

    tissue: Tissue
    studies: list[Study]
    classes: tuple[str, ...]
    limits: dict[str, float]
    recipe: Recipe
    machine: Machine
    scratch: EmbeddingStore
    most: int = MOST
    made: dict[tuple[str, ...], ScMPT] = field(default_factory=dict)

    def plan(self) -> Iterator[tuple[str, Callable[[], Held]]]:
        """What each trial is, and the call that makes it."""
        yield "each study left out", lambda: self._held("as trained", "as trained", self.left)
        for info, strength in shifts(any(_counted(each.study) for each in self.left)):
            at = "" if strength is None else f", {info.strength.show(strength)}"
            yield f"{info.title}{at}", partial(self.shift, info, strength)
        for name in self.classes if len(self.classes) > 2 else ():
            yield f"without {name}", partial(self.unseen, name)
        for name in self.groups:
            yield f"{name} alone", partial(self.one_group, name)

    @cached_property
    def left(self) -> list[Asked]:
        """Each study, and the model of all others; cells of types that this one knows."""
        names = [study.name for study in self.studies]
        every = [
            asked.of_known_types()
            for held in names
            for asked in self._asked(self._of(tuple(n for n in names if n != held)), [held])
        ]
        return [asked for asked in every if len(asked.study)]

    @property
    def groups(self) -> list[str]:
        """Studies that a model can be made of."""
        return [s.name for s in self.studies if len(known_classes([s], self.tissue.classes)) > 1]

    def shift(self, info: AblationInfo, strength: float | None) -> Held:
        """Of the studies left out; where counts are needed, of those that hold them."""
        able = [a for a in self.left if "counts" not in info.needs or _counted(a.study)]
        there = [asked.shifted(info, strength) for asked in able]
        base = None if len(able) == len(self.left) else self._outcome(able)
        return replace(self._held("shift", info.title, there), strength=strength, base=base)

    def unseen(self, name: str) -> Held:
        """Of all studies without the type: its cells, and those of the types that were kept."""
        rest = [study.take(np.flatnonzero(study.labels != name)) for study in self.studies]
        model = self._build([study for study in rest if len(study)])
        asked = self._asked(model, [study.name for study in self.studies])
        strange = [each.only(each.study.labels == name) for each in asked]
        held = self._held("unseen type", name, [each for each in strange if len(each.study)])
        known = self._outcome([each.of_known_types() for each in asked])
        return replace(held, outcome=replace(held.outcome, forced=None), known=known)

    def one_group(self, name: str) -> Held:
        """Of one study: all cells of the others, of types that it does not know too."""
        others = [study.name for study in self.studies if study.name != name]
        return self._held("one group", name, self._asked(self._of((name,)), others))

    def left_out(self) -> dict[str, str]:
        """What could not be tried, and why."""
        asked = {label for each in self.left for label in each.study.labels}
        out = {
            f"{name} in a study left out": "no model of the other studies knows it"
            for name in self.classes if name not in asked
        }  # fmt: skip
        if len(self.classes) < 3:
            out["unseen types"] = "with two types, one would be left to learn"
        for study in self.studies:
            if not _counted(study):
                out[f"depth in {study.name}"] = "its file holds no counts"
            if study.name not in self.groups:
                out[f"{study.name} alone"] = "it does not hold ten cells each of two types"
        return out

    def _of(self, names: tuple[str, ...]) -> ScMPT:
        if names not in self.made:
            self.made[names] = self._build([s for s in self.studies if s.name in names])
        return self.made[names]

    def _build(self, studies: list[Study]) -> ScMPT:
        model = build(studies, self.tissue, self.recipe, self.machine)
        return with_record(model, overlap_limit=self.limits)

    def _asked(self, model: ScMPT, names: list[str]) -> list[Asked]:
        studies = [study for study in self.studies if study.name in names]
        return [Asked(model, sampled(study, self.most, self.recipe.seed)) for study in studies]

    def _held(self, kind: str, name: str, asked: list[Asked]) -> Held:
        """Pooled; a file that would be refused counts with what would be said of it."""
        whys = {each.study.name: refusal(each.model, each.study.cells) for each in asked}
        refusals = {study: why for study, why in whys.items() if why}
        every = " ".join(f"{study}: {why}" for study, why in refusals.items())
        return Held(
            kind, name, self._outcome(asked), refused=every if len(refusals) == len(asked) else "",
            refusals=refusals,
        )  # fmt: skip

    def _outcome(self, asked: list[Asked]) -> Outcome:
        said = [
            unlimited(each.model).predict(each.study.cells, self.scratch, self.machine.device)
            for each in asked
        ]
        return outcome(said, [each.study.labels for each in asked])


def _counted(study: Study) -> bool:
    return study.cells.counts is not None
