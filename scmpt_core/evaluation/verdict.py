"""What a comparison's numbers allow one to say: fused against its better half, and the baseline.

Tests are made on each split by itself and never pooled over seeds, whose test cells overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scmpt_core.data import Split
from scmpt_core.evaluation.runs import Run
from scmpt_core.fusion import RECOMMENDED, Task, get_head
from scmpt_core.intervals import MIN_GROUPS, Interval, bootstrap_difference
from scmpt_core.significance import holm, mcnemar, permutation_macro_f1

SIGNIFICANT = 0.05
TOLERATED = -0.01  # macro F1: the promise is to lose no more than this to the better half
HALF = "fused against its better half"
ALONE = "fused against the best encoder alone"
BASELINE = "fused against the best baseline"
AGAINST = {
    HALF: "its better half,", ALONE: "the best encoder alone under any head,",
    BASELINE: "the best baseline,",
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two models on the same test cells.

    Parameters
    ----------
    difference
        Macro F1 of ``a`` less that of ``b``, mean over the splits.
    interval
        95 % bootstrap over test cells, or over groups; ``None`` with fewer than five groups.
    splits
        One entry a seed: ``seed``, ``difference``, and for each test ``p`` and ``holm`` (adjusted
        over all tests of that seed). With groups, whole groups are swapped, and McNemar's test,
        which takes cells for independent, is left out.
    """

    question: str
    a: str
    b: str
    difference: float
    interval: Interval | None
    splits: tuple[dict, ...]

    @property
    def won(self) -> int:
        """Splits in which ``a`` is better beyond chance, by macro F1 after Holm."""
        return sum(s["difference"] > 0 and _holm(s) < SIGNIFICANT for s in self.splits)

    @property
    def lost(self) -> int:
        """Splits in which ``b`` is better beyond chance."""
        return sum(s["difference"] < 0 and _holm(s) < SIGNIFICANT for s in self.splits)

    def to_json(self) -> dict:
        """As a JSON object."""
        interval = None if self.interval is None else self.interval.to_json()
        return {**self.__dict__, "interval": interval, "splits": list(self.splits)} | {
            "won": self.won, "lost": self.lost,
        }  # fmt: skip


def _holm(split: dict) -> float:
    return split["tests"]["permutation, macro F1"]["holm"]


@dataclass(frozen=True)
class Verdict:
    """The pairs that were tested, and what follows, in sentences."""

    pairs: tuple[Pair, ...]
    sentences: tuple[str, ...]
    promise: bool | None  # lower bound against the better half ≥ −1 point; None: no interval

    def to_json(self) -> dict:
        """As a JSON object."""
        return {
            "pairs": [pair.to_json() for pair in self.pairs],
            "sentences": list(self.sentences),
            "promise": self.promise,
        }


def judge(task: Task, splits: Sequence[Split], runs: Sequence[Run]) -> Verdict:
    """Test the recommended model against its better half, and against the best baseline.

    A half is one of its encoders under a head of the fusion's own kind (:attr:`HeadInfo.half`). If
    another head makes more of an encoder alone, that pair is tested as well.
    """
    table = _Table(task, tuple(splits), tuple(runs))
    chosen = table.recommended()
    pairs = [] if chosen is None else table.pairs(chosen)
    half = next((p for p in pairs if p.question == HALF), None)
    promise = None
    if half is not None and half.interval is not None:
        promise = half.interval.low >= TOLERATED
    return Verdict(tuple(pairs), tuple(_sentences(table, pairs, promise)), promise)


@dataclass(frozen=True, eq=False)
class _Table:
    task: Task
    splits: tuple[Split, ...]
    runs: tuple[Run, ...]

    def of(self, model: str) -> list[Run]:
        return [run for run in self.runs if run.model == model]

    def mean(self, model: str) -> float:
        return float(np.mean([run.scores.macro_f1 for run in self.of(model)]))

    def recommended(self) -> Run | None:
        """A run of the recommended fusion; of a single encoder, of its best head."""
        fused = [r for r in self.runs if r.head == RECOMMENDED]
        alone = [r for r in self.runs if r.head is not None]
        if fused or not alone:
            return fused[0] if fused else None
        return max(alone, key=lambda r: self.mean(r.model))

    def pairs(self, chosen: Run) -> list[Pair]:
        own = get_head(chosen.head).half
        alone = [r for r in self.runs if len(r.encoders) == 1]
        alone = [r for r in alone if set(r.encoders) < set(chosen.encoders)]
        asked = {
            HALF: {r.model for r in alone if r.head in own},
            ALONE: {r.model for r in alone},
            BASELINE: {r.model for r in self.runs if r.head is None},
        }
        # The best of each with hindsight, which favours it. Sorted: a tie is the same each time.
        best = {q: max(sorted(names), key=self.mean) for q, names in asked.items() if names}
        if best.get(ALONE) == best.get(HALF):
            best.pop(ALONE, None)
        tested = {other: self._tests(chosen.model, other) for other in best.values()}
        self._correct(tested)
        return [
            Pair(
                question, chosen.model, other, self.mean(chosen.model) - self.mean(other),
                self._interval(chosen.model, other), tuple(tested[other]),
            )
            for question, other in best.items()
        ]  # fmt: skip

    def _interval(self, a: str, b: str) -> Interval | None:
        codes = self.task.codes
        tested = [
            (split.test, codes[split.test], first.predicted, second.predicted)
            for split, first, second in zip(self.splits, self.of(a), self.of(b), strict=True)
        ]
        return bootstrap_difference(
            tested, len(self.task.classes), "macro_f1", groups=self.task.groups,
            unit=self.task.group or "group",
        )  # fmt: skip

    def _tests(self, a: str, b: str) -> list[dict]:
        """Of each seed; its folds, if any, test each cell once and are tested together."""
        out = []
        rows = list(zip(self.splits, self.of(a), self.of(b), strict=True))
        for seed in dict.fromkeys(run.seed for _, run, _ in rows):
            mine = [row for row in rows if row[1].seed == seed]
            cells = np.concatenate([split.test for split, _, _ in mine])
            truth = self.task.codes[cells]
            first = np.concatenate([run.predicted for _, run, _ in mine])
            second = np.concatenate([run.predicted for _, _, run in mine])
            groups = None if self.task.groups is None else self.task.groups[cells]
            tests = [
                permutation_macro_f1(
                    truth, first, second, len(self.task.classes), groups=groups,
                    unit=self.task.group or "group",
                )
            ]  # fmt: skip
            if groups is None:
                tests.append(mcnemar(truth, first, second))
            found = {t.name: {"difference": t.difference, "p": t.p} for t in tests}
            out.append({"seed": seed, "difference": tests[0].difference, "n": tests[0].n,
                        "unit": tests[0].unit, "tests": found})  # fmt: skip
        return out

    @staticmethod
    def _correct(tested: dict[str, list[dict]]) -> None:
        """Holm's correction over all tests of one seed."""
        for per_seed in zip(*tested.values(), strict=True):
            tests = [test for split in per_seed for test in split["tests"].values()]
            for test, p in zip(tests, holm([t["p"] for t in tests]), strict=True):
                test["holm"] = float(p)


def _sentences(table: _Table, pairs: list[Pair], promise: bool | None) -> list[str]:
    out = [_sentence(pair) for pair in pairs]
    if promise is not None:
        half = next(p for p in pairs if p.question == HALF)
        low = f"{half.interval.low * 100:+.1f}"
        out.append(
            f"The promise of fusion, to lose at most 1 point to the better half, "
            f"{'holds here' if promise else 'is not shown here'} (lower bound {low} points)."
        )
    groups = table.task.groups
    seeds = {run.seed for run in table.runs}
    if groups is not None:
        n = len({*groups[table.task.codes >= 0]} - {""})
        if n < MIN_GROUPS:
            out.append(
                f"{n} groups are too few for an interval over {table.task.group} (at least "
                f"{MIN_GROUPS} are needed): how far the scores hold for new ones is not known."
            )
    elif len(seeds) == 1:
        out.append("One split: how much the scores depend on the split does not show.")
    return out


def _sentence(pair: Pair) -> str:
    points = abs(pair.difference) * 100
    side = "above" if pair.difference >= 0 else "below"
    text = f"{pair.a} is {points:.1f} points of macro F1 {side} {AGAINST[pair.question]} {pair.b}"
    if pair.interval is not None:
        i = pair.interval
        text += (
            f" (95 % interval {i.low * 100:+.1f} to {i.high * 100:+.1f} over {i.n:,} "
            f"{i.unit if i.unit == 'cells' else i.unit + ' groups'})"
        )
    n = len(pair.splits)
    if pair.won:
        return f"{text}; better beyond chance in {pair.won} of {n} splits (Holm, 5 %)."
    if pair.lost:
        return f"{text}; worse beyond chance in {pair.lost} of {n} splits (Holm, 5 %)."
    return f"{text}; the tests do not tell the two apart."
