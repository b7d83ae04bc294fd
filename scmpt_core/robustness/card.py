"""The robustness card of a model: what was tried, and what came of it, as one JSON file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from scmpt_core.errors import check_format, readable
from scmpt_core.fusion import REASONS, UNKNOWN

CARD = "robustness.json"
FORMAT = 1
RISE = 0.05  # of the share of wrong labels that a sentence is worth
MUCH = 0.2  # of the cells of types never trained on: a share with labels that is worth a warning


@dataclass(frozen=True)
class Outcome:
    """What a model with Unknown switched on said of some cells.

    Parameters
    ----------
    n
        Cells.
    unknown
        Share called Unknown, by reason.
    wrong
        Share of the cells that got a label, and a wrong one; ``None`` where no label could be
        right or wrong because none is known.
    confused
        The wrong labels given most often, with their share of all cells.
    forced
        Share that would be named rightly were every cell given its most probable label; ``None``
        where the right type is none that the model knows.
    """

    n: int
    unknown: dict[str, float]
    wrong: float
    confused: dict[str, float]
    forced: float | None

    @property
    def all_unknown(self) -> float:
        """Share called Unknown for any reason."""
        return sum(self.unknown.values())

    @classmethod
    def of(
        cls, labels: np.ndarray, reasons: np.ndarray, likeliest: np.ndarray, truth: np.ndarray
    ) -> Outcome:
        """From labels, why there is none, most probable labels and true names, each (cells,).

        Raises
        ------
        ValueError
            There are no cells.
        """
        n = len(truth)
        if not n:
            raise ValueError("no cells")
        wrong = (labels != truth) & (labels != UNKNOWN)
        names, counts = np.unique(labels[wrong], return_counts=True)
        order = np.argsort(-counts, kind="stable")[:3]
        right = likeliest == truth
        return cls(
            n,
            {why: float(np.mean(reasons == why)) for why in REASONS if (reasons == why).any()},
            float(wrong.mean()),
            {str(names[i]): float(counts[i] / n) for i in order},
            float(right.mean()),
        )  # fmt: skip


@dataclass(frozen=True)
class Held:
    """One trial.

    Parameters
    ----------
    kind
        ``as trained``; ``shift``: perturbed test cells; ``unseen type``: trained without a type,
        asked about its cells; ``one group``: trained on one group alone, asked about the others.
    name
        What was tried, such as "Sequenced less deeply".
    strength
        Of a shift, as in the ablation of that name.
    refused
        Why the model would refuse such a file before any label is given; ``""``: it would not.
        The outcome is then what it would have said.
    known
        The same for test cells of the types that were trained on; ``None`` but for an unseen type.
    base
        Of a shift that only some of the cells could be given: of these as they were, unperturbed.
    refusals
        Where cells of several files were asked about: which of these would be refused, and why;
        ``refused`` is set where all would.
    """

    kind: str
    name: str
    outcome: Outcome
    strength: float | None = None
    refused: str = ""
    known: Outcome | None = None
    base: Outcome | None = None
    refusals: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """All trials of one model."""

    model: str
    dataset: str
    trials: tuple[Held, ...]
    about: dict  # rule, seeds, what was left out and why

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self) | {"trials": [asdict(trial) for trial in self.trials]}

    def of(self, kind: str) -> list[Held]:
        """The trials of one kind, as they were made."""
        return [trial for trial in self.trials if trial.kind == kind]

    @property
    def plain(self) -> Held:
        """The trial of cells as they are."""
        (plain,) = self.of("as trained")
        return plain

    def unperturbed(self, shift: Held) -> Outcome:
        """What the model says of a shift's cells as they are."""
        return shift.base or self.plain.outcome

    @property
    def mislabelled(self) -> float | None:
        """Share of cells that get a label, of a type held back; mean over types, if any was."""
        unseen = [trial.outcome.wrong for trial in self.of("unseen type")]
        return float(np.mean(unseen)) if unseen else None

    @property
    def warning(self) -> str:
        """What one must know before acting on labels; ``""`` where there is nothing."""
        share = self.mislabelled
        if share is None or share < MUCH:
            return ""
        return (
            f"Of cells of a type that this model does not know, {share:.0%} get one of its labels "
            "(each type held back from training once). Look at the markers of each group before "
            "you act on its label."
        )

    def sentences(self) -> list[str]:
        """What the card says, for a person."""
        return [*self._on_plain(), *self._on_unseen(), *self._on_groups(), *self._on_shifts()]

    def _on_plain(self) -> list[str]:
        plain, cells = self.plain.outcome, self.about.get("tested_on")
        tested = f"{plain.n:,} {cells}" if cells else f"its own {plain.n:,} test cells"
        out = [
            f"On {tested} {_share(plain.wrong)} get a wrong label and "
            f"{_share(plain.all_unknown)} are Unknown."
        ]
        if files := self.plain.refusals:
            out.append(
                f"These files measure too little for it and would be refused as they are: "
                f"{', '.join(files)}. What it would say of their cells is counted all the same."
            )
        return out

    def _on_unseen(self) -> list[str]:
        unseen = self.of("unseen type")
        if not unseen:
            return []
        worst = max(unseen, key=lambda trial: trial.outcome.wrong)
        called = max(worst.outcome.confused.items(), key=lambda item: item[1], default=("", 0))
        beside = self.about.get("unseen_of")
        return [
            f"Cells of a type it was not trained on{f', {beside},' if beside else ''} get a label, "
            f"which cannot be right, in {_share(self.mislabelled)} of cases (mean over "
            f"{len(unseen)} types); worst is {worst.name}, {_share(worst.outcome.wrong)}"
            + (f", most often called {called[0]}." if called[0] else ".")
        ]

    def _on_groups(self) -> list[str]:
        groups = self.of("one group")
        if not groups:
            return []
        low = max(groups, key=lambda trial: trial.outcome.wrong)
        most = max(groups, key=lambda trial: trial.outcome.all_unknown)
        return [
            f"Trained on one {self.about.get('group', 'group')} alone, it errs on "
            f"{_share(low.outcome.wrong)} of the cells of the others at worst ({low.name}) and "
            f"calls at most {_share(most.outcome.all_unknown)} Unknown ({most.name})."
        ]

    def _on_shifts(self) -> list[str]:
        worse = {trial.name: self._worse(trial.name) for trial in self.of("shift")}
        out = []
        for name, trial in worse.items():
            if trial is not None:
                at = "" if trial.strength is None else f"from {trial.strength:g} on, "
                out.append(
                    f"{name}: {at}wrong labels rise by more than 5 points "
                    f"({_share(trial.outcome.wrong)}){self._refused_anew(trial)}."
                )
        if harmless := [name for name, trial in worse.items() if trial is None]:
            out.append(
                "Wrong labels do not rise by more than 5 points at any strength tried, unless the "
                f"file is refused: {'; '.join(harmless)}."
            )
        return out

    def _worse(self, name: str) -> Held | None:
        """The weakest strength of a shift that makes more labels wrong, unrefused."""
        mine = [t for t in self.of("shift") if t.name == name and not t.refused]
        return next((t for t in mine if t.outcome.wrong > self.unperturbed(t).wrong + RISE), None)

    def _refused_anew(self, shift: Held) -> str:
        """Which files the shift makes the model refuse, though not all."""
        anew = [name for name in shift.refusals if name not in self.plain.refusals]
        if anew:
            return f", though it would refuse {', '.join(anew)}"
        return "" if shift.strength is None else " without a refusal"


def _share(value: float) -> str:
    return f"{value:.1%}"


def save_card(card: Card, folder: Path) -> None:
    """Beside the model, whole or not at all."""
    temporary = folder / f"{CARD}.part"
    value = {"format": FORMAT, **card.to_json()}
    temporary.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    os.replace(temporary, folder / CARD)


def load_card(folder: Path) -> Card | None:
    """The card beside a model; ``None`` where none was made.

    Raises
    ------
    ModelError
        It is damaged, or of another format.
    """
    if not (folder / CARD).is_file():
        return None
    with readable("The robustness card"):
        value = json.loads((folder / CARD).read_text(encoding="utf-8"))
        check_format("The robustness card", value["format"], FORMAT)
        trials = tuple(_held(trial) for trial in value["trials"])
        return Card(value["model"], value["dataset"], trials, value["about"])


def _held(value: dict) -> Held:
    parts = {
        name: Outcome(**value[name])
        for name in ("outcome", "known", "base") if value.get(name) is not None
    }  # fmt: skip
    return Held(**(value | parts))
