"""Ablations in numbers: scores, how many labels flipped, and how far chance could move them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.ablations.base import Regime
from scmpt_core.ablations.registry import get_ablation
from scmpt_core.ablations.result import Ablated, Answers, Setting
from scmpt_core.encoders import ENCODERS
from scmpt_core.intervals import Interval, bootstrap_difference
from scmpt_core.metrics import score

REPLICATES = 1_000


@dataclass(frozen=True)
class Row:
    """One ablation at one strength, for one way under one regime; means over seeds.

    Parameters
    ----------
    n
        Tested cells.
    seeds
        Draws; the standard deviations ``accuracy_sd`` and ``macro_f1_sd`` are over them, ``None``
        with fewer than two.
    accuracy, macro_f1
        Against the true types; ``None`` where they are not known.
    accuracy_drop, macro_f1_drop
        Unperturbed less perturbed, on the same cells; above 0: worse.
    interval
        Of ``macro_f1_drop``: 95 % bootstrap over cells, or groups; ``None`` without true types,
        or with fewer than five groups.
    flipped
        Share of cells whose label is another than without the perturbation.
    lost
        Mean fall of the probability of the label given without the perturbation.
    unlabelled
        Share of cells without any gene left: they have no label, count as wrong and as flipped.
    """

    regime: Regime
    ablation: str
    target: str
    strength: float | None
    way: str
    n: int
    seeds: int
    accuracy: float | None
    macro_f1: float | None
    accuracy_sd: float | None
    macro_f1_sd: float | None
    accuracy_drop: float | None
    macro_f1_drop: float | None
    interval: Interval | None
    flipped: float
    lost: float
    unlabelled: float

    @property
    def title(self) -> str:
        """In words: what, of which encoder, and how strongly."""
        return title_of(self.ablation, self.target, self.strength)

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self) | {"title": self.title}


@dataclass(frozen=True)
class TypeRow:
    """As :class:`Row`, of the cells of one type.

    Parameters
    ----------
    recall
        Share of its cells that are named rightly; ``None`` where the true types are not known.
    recall_drop
        Unperturbed less perturbed.
    """

    type: str
    n: int
    recall: float | None
    recall_drop: float | None
    flipped: float
    lost: float

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


def title_of(ablation: str, target: str, strength: float | None) -> str:
    """An ablation in words: what, of which encoder, and how strongly."""
    info = get_ablation(ablation)
    extra = [target] if target else []
    if info.strength is not None and strength is not None:
        unit = "" if info.strength.share else f" {info.strength.what.split()[0]}"
        extra.append(info.strength.show(strength) + unit)
    return info.title + (f" ({', '.join(extra)})" if extra else "")


def unperturbed(result: Ablated) -> list[dict]:
    """Scores without any perturbation, of each way under each regime."""
    return [
        {"regime": regime, "way": way, "n": len(result.ids), **_scores(result, answers.predicted)}
        for (regime, way), answers in result.before.items()
    ]


def summarise(result: Ablated) -> list[Row]:
    """A row for each regime, ablation, strength and way, in the order in which they were run.

    An encoder's part has none for what it does not read.
    """
    return [
        _row(result, regime, way, at)
        for regime in result.regimes
        for at in _alike(result.settings_of(regime))
        for way in result.ways
        if _concerns(result.settings_of(regime)[at[0]], way)
    ]


def board(rows: list[Row], regime: Regime, way: str) -> list[Row]:
    """Each ablation once, at its default strength or else its strongest, most costly first."""
    mine: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.regime == regime and row.way == way:
            at = get_ablation(row.ablation).strength
            key = (row.ablation, row.target)
            if key not in mine or (at is not None and row.strength == at.default):
                mine[key] = row
    return sorted(mine.values(), key=lambda r: (-cost(r), r.ablation, r.target))


def cost(row: Row) -> float:
    """What a board is sorted by: the drop in macro F1, or else the share of flipped labels."""
    return row.flipped if row.macro_f1_drop is None else row.macro_f1_drop


def curve(rows: list[Row], ablation: str, regime: Regime, way: str, target: str = "") -> list[Row]:
    """One ablation by rising strength."""
    mine = [
        r for r in rows
        if (r.ablation, r.regime, r.way, r.target) == (ablation, regime, way, target)
    ]  # fmt: skip
    return sorted(mine, key=lambda r: r.strength if r.strength is not None else 0.0)


def type_rows(result: Ablated, like: Row) -> list[TypeRow]:
    """``like`` taken apart by type, in the order of the classes; types without cells left out."""
    settings = result.settings_of(like.regime)
    at = [
        i for i, s in enumerate(settings)
        if (s.ablation, s.target, s.strength) == (like.ablation, like.target, like.strength)
    ]  # fmt: skip
    before, after = (d[like.regime, like.way] for d in (result.before, result.after))
    out = []
    for code, name in enumerate(result.classes):
        mine = result.codes == code
        if mine.any():
            first, now = before.predicted[mine], after.predicted[at][:, mine]
            right, still = np.mean(first == code), np.mean(now == code)
            lost = before.probability[mine] - after.probability[at][:, mine]
            out.append(
                TypeRow(
                    name, int(mine.sum()), float(still) if result.known else None,
                    float(right - still) if result.known else None,
                    float(np.mean(now != first)), float(lost.mean()),
                )
            )  # fmt: skip
    return out


def _alike(settings: list[Setting]) -> list[list[int]]:
    """Positions of the settings that differ in their seed alone."""
    groups: dict[tuple, list[int]] = {}
    for i, s in enumerate(settings):
        groups.setdefault((s.ablation, s.target, s.strength), []).append(i)
    return list(groups.values())


def _concerns(setting: Setting, way: str) -> bool:
    """Whether a way reads what was perturbed: an encoder's part need not."""
    encoder = next((spec for spec in ENCODERS if spec.name == way), None)
    if encoder is None:
        return True  # the whole model
    if setting.target:
        return setting.target == way
    return encoder.info.modality in get_ablation(setting.ablation).acts_on


def _row(result: Ablated, regime: Regime, way: str, at: list[int]) -> Row:
    setting = result.settings_of(regime)[at[0]]
    before, after = result.before[regime, way], result.after[regime, way]
    now = after.predicted[at]  # (seeds, cells)
    first = _scores(result, before.predicted)
    each = [_scores(result, predicted) for predicted in now]
    numbers: dict[str, float | None] = {}
    for name, was in first.items():
        values = None if was is None else np.array([scores[name] for scores in each])
        sd = None if values is None or len(values) < 2 else float(values.std(ddof=1))
        mean = None if values is None else float(values.mean())
        drop = None if mean is None else was - mean
        numbers |= {name: mean, f"{name}_sd": sd, f"{name}_drop": drop}
    return Row(
        regime, setting.ablation, setting.target, setting.strength, way, len(result.ids), len(at),
        interval=_interval(result, before, now), flipped=float(np.mean(now != before.predicted)),
        lost=float(np.mean(before.probability - after.probability[at])),
        unlabelled=float(np.mean(now == len(result.classes))), **numbers,
    )  # fmt: skip


def _interval(result: Ablated, before: Answers, now: np.ndarray) -> Interval | None:
    if not result.known:
        return None
    cells = np.arange(len(result.ids))
    tested = [(cells, result.codes, before.predicted, predicted) for predicted in now]
    return bootstrap_difference(
        tested, len(result.classes) + 1, "macro_f1", REPLICATES, groups=result.groups,
        unit=result.group or "group",
    )  # fmt: skip


def _scores(result: Ablated, predicted: np.ndarray) -> dict[str, float | None]:
    if not result.known:
        return {"accuracy": None, "macro_f1": None}
    found = score(result.codes, predicted, (*result.classes, ""))
    return {"accuracy": found.accuracy, "macro_f1": found.macro_f1}
