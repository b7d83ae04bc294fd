"""The robustness card of a model: what was tried, and what came of it, as one JSON file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from scmpt_core.errors import check_format, readable
from scmpt_core.fusion import REASONS, UNKNOWN, Decision

CARD = "robustness.json"
FORMAT = 1
RISE = 0.05  # of the share of wrong labels that a sentence is worth


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
    def of(cls, decision: Decision, likeliest: np.ndarray, truth: np.ndarray) -> Outcome:
        """From labels, most probable labels and true names, each (cells,).

        Raises
        ------
        ValueError
            There are no cells.
        """
        n = len(truth)
        if not n:
            raise ValueError("no cells")
        wrong = (decision.labels != truth) & (decision.labels != UNKNOWN)
        names, counts = np.unique(decision.labels[wrong], return_counts=True)
        order = np.argsort(-counts, kind="stable")[:3]
        right = likeliest == truth
        return cls(
            n,
            {why: float(np.mean(decision.reasons == why)) for why in REASONS
             if (decision.reasons == why).any()},
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
    """

    kind: str
    name: str
    outcome: Outcome
    strength: float | None = None
    refused: str = ""
    known: Outcome | None = None


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

    def sentences(self) -> list[str]:
        """What the card says, for a person."""
        out = []
        (plain,) = self.of("as trained")
        out.append(
            f"On its own {plain.outcome.n:,} test cells {_share(plain.outcome.wrong)} get a wrong "
            f"label and {_share(plain.outcome.all_unknown)} are Unknown."
        )
        unseen = self.of("unseen type")
        if unseen:
            worst = max(unseen, key=lambda trial: trial.outcome.wrong)
            mean = float(np.mean([trial.outcome.wrong for trial in unseen]))
            called = max(worst.outcome.confused.items(), key=lambda item: item[1], default=("", 0))
            out.append(
                f"Cells of a type it was not trained on get a label, which cannot be right, in "
                f"{_share(mean)} of cases (mean over {len(unseen)} types); worst is {worst.name}, "
                f"{_share(worst.outcome.wrong)}"
                + (f", most often called {called[0]}." if called[0] else ".")
            )
        groups = self.of("one group")
        if groups:
            low = max(groups, key=lambda trial: trial.outcome.wrong)
            out.append(
                f"Trained on one {self.about.get('group', 'group')} alone, it errs on "
                f"{_share(low.outcome.wrong)} of the cells of the others at worst ({low.name})."
            )
        shifts = dict.fromkeys(trial.name for trial in self.of("shift"))
        worse = {name: self._worse(name, plain.outcome) for name in shifts}
        out += [
            f"{name}: from {trial.strength:g} on, wrong labels rise by more than 5 points "
            f"({_share(trial.outcome.wrong)}) without a refusal."
            if trial.strength is not None
            else f"{name}: wrong labels rise by more than 5 points ({_share(trial.outcome.wrong)})."
            for name, trial in worse.items() if trial is not None
        ]  # fmt: skip
        if harmless := [name for name, trial in worse.items() if trial is None]:
            out.append(
                "Wrong labels do not rise by more than 5 points at any strength tried, unless the "
                f"file is refused: {'; '.join(harmless)}."
            )
        return out

    def _worse(self, name: str, plain: Outcome) -> Held | None:
        """The weakest strength of a shift that makes more labels wrong, unrefused."""
        mine = [t for t in self.of("shift") if t.name == name]
        return next(
            (t for t in mine if t.outcome.wrong > plain.wrong + RISE and not t.refused), None
        )


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
    known = value["known"]
    parts = {"outcome": Outcome(**value["outcome"]),
             "known": None if known is None else Outcome(**known)}  # fmt: skip
    return Held(**(value | parts))
