"""Every model and baseline on the six labelled sets, and whether fusion keeps its promise.

    PYTHONPATH=. python benchmarks/compare_sets.py LABELLED_FOLDER [--set NAME …] [--keep FOLDER]

Prints, as Markdown: macro F1 of every row; for every fusion the difference to its better half
with its 95 % bootstrap interval over the test cells (kang2018: over donors); which fusion is
chosen when one set at a time is left out, and whether it keeps the promise there; calibration and
label sets of the recommended model over at least 20 splits. ``--keep`` holds finished parts, so
that a killed run goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.sets import NAMES, open_set
from scmpt_core import evaluation
from scmpt_core.data import PARTS
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_FUSED
from scmpt_core.evaluation import Comparison, Plan
from scmpt_core.evaluation.verdict import TOLERATED
from scmpt_core.fusion import HEADS, RECOMMENDED, ModelSpec, get_head
from scmpt_core.intervals import Interval, bootstrap_difference
from scmpt_core.settings import get_settings

SPLITS = {"demo": 20, "zheng2017": 2, "kang2018": 1, "baron2016": 5, "xin2016": 3, "symphony": 3}
SURE_SPLITS = {"kang2018": 4}  # of five folds each; the others have 20
BASELINES = ("majority", "knn", "logistic", "celltypist")
MANY = 500  # test cells from which on calibration is judged


def fusions() -> list[str]:
    """Names of the fused rows over the default encoders."""
    return [ModelSpec(DEFAULT_FUSED, info.name).name for info in HEADS]


def against(
    result: Comparison, fused: str, heads: tuple[str, ...] | None
) -> tuple[str, float, Interval]:
    """The best encoder alone under ``heads`` (``None``: any), the difference, its interval."""
    task = result.task

    def mean(name: str) -> float:
        return float(np.mean([run.scores.macro_f1 for run in result.of(name)]))

    alone = [result.of(model)[0] for model in result.models]
    alone = [run for run in alone if len(run.encoders) == 1 and run.head in (heads or (run.head,))]
    half = max((run.model for run in alone), key=mean)
    rows = zip(result.splits, result.of(fused), result.of(half), strict=True)
    tested = [(s.test, task.codes[s.test], a.predicted, b.predicted) for s, a, b in rows]
    found = bootstrap_difference(
        tested, len(task.classes), "macro_f1", groups=task.groups, unit=task.group or "group"
    )
    return half, mean(fused) - mean(half), found


def table(header: list[str], rows: list[list[str]]) -> None:
    """Print it as Markdown."""
    print("\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def scores(results: dict[str, Comparison]) -> None:
    """Accuracy and macro F1, mean over the splits."""
    models = list(dict.fromkeys(m for r in results.values() for m in r.models))

    def cell(result: Comparison, model: str) -> str:
        runs = result.of(model)
        values = ([run.scores.accuracy for run in runs], [run.scores.macro_f1 for run in runs])
        return " / ".join(f"{np.mean(v):.3f}" for v in values)

    rows = [[m, *(cell(r, m) for r in results.values())] for m in models]
    sizes = ["splits", *(str(len(r.splits)) for r in results.values())]
    table(["accuracy / macro F1", *results], [sizes, *rows])


def told(gain: float, interval: Interval) -> str:
    """Points with their interval; ✗ where the lower bound is below −1 point."""
    mark = "" if interval.low >= TOLERATED else " ✗"
    return f"{100 * gain:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f}){mark}"


def promise(results: dict[str, Comparison]) -> None:
    """Every fusion against its better half, and the choice of one leaving a set out.

    Halves have a head of the fusion's kind. Then every fusion against the best encoder alone under
    any head, which no head over that encoder need reach.
    """
    lows: dict[str, dict[str, float]] = {}
    gains: dict[str, dict[str, float]] = {}
    rows = []
    for name in fusions():
        row = [name]
        for key, result in results.items():
            half, gain, interval = against(result, name, get_head(result.of(name)[0].head).half)
            lows.setdefault(name, {})[key] = interval.low
            gains.setdefault(name, {})[key] = gain
            row.append(f"{told(gain, interval)}, {half}")
        rows.append(row)
    table(["points of macro F1 against the better half", *results], rows)
    found = [[against(r, name, None) for r in results.values()] for name in fusions()]
    best = ["the best encoder alone", *(half for half, _, _ in found[0])]
    rows = [
        [name, *(told(gain, interval) for _, gain, interval in row)]
        for name, row in zip(fusions(), found, strict=True)
    ]
    table(["points of macro F1 against it", *results], [best, *rows])
    rows = []
    for left in results:
        others = [key for key in results if key != left]
        chosen = max(gains, key=lambda n: min(lows[n][o] for o in others) if others else 0)
        kept = "yes" if lows[chosen][left] >= TOLERATED else "no"
        rows.append([left, chosen, f"{100 * lows[chosen][left]:+.1f}", kept])
    table(["left out", "chosen on the others (highest worst lower bound)", "its lower bound here",
           "keeps the promise"], rows)  # fmt: skip


def sureness(name: str, task, store: EmbeddingStore, device, keep: Path | None) -> list[str]:
    """Calibration and label sets of the recommended model over many splits."""
    plan = Plan.of(DEFAULT_FUSED, "quick", (), (), SURE_SPLITS.get(name, 20))
    result = evaluation.compare(name, task, OnlyRecommended(**vars(plan)), store, device, keep=keep)
    runs = result.runs
    tested = [len(split.test) for split in result.splits]
    calibration = [len(split.calibration) for split in result.splits]

    def mean(values: list[float]) -> str:
        return f"{np.mean(values):.3f}"

    judged = "" if np.mean(tested) < MANY else ", yes" if np.mean(
        [run.ece["after"] for run in runs]) <= 0.05 else ", no"  # fmt: skip
    return [
        name, str(len(runs)), f"{np.mean(calibration):.0f} / {np.mean(tested):.0f}",
        mean([run.scores.accuracy for run in runs]), mean([run.ece["before"] for run in runs]),
        mean([run.ece["after"] for run in runs]) + judged,
        mean([run.conformal["exact"] for run in runs]),
        mean([run.conformal["coverage"] for run in runs]),
        mean([run.conformal["mean_size"] for run in runs]),
    ]  # fmt: skip


class OnlyRecommended(Plan):
    """A plan with one row."""

    @property
    def models(self) -> list[ModelSpec]:
        """The recommended fusion alone."""
        return [ModelSpec(self.encoders, RECOMMENDED)]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", choices=NAMES)
    parser.add_argument("--part", choices=("models", "sure"), help="one half of the tables")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    print(f"{device.reason}; parts: {' / '.join(PARTS)} 60 / 10 / 10 / 20 %")
    results, sure = {}, []
    for name in args.set or NAMES:
        _, task = open_set(name, args.folder)
        if args.part != "sure":
            plan = Plan.of(
                DEFAULT_FUSED, "quick", [info.name for info in HEADS], BASELINES, SPLITS[name]
            )
            keep = None if args.keep is None else args.keep / name
            results[name] = evaluation.compare(name, task, plan, store, device, keep=keep)
        if args.part != "models":
            keep = None if args.keep is None else args.keep / f"{name}-sure"
            sure.append(sureness(name, task, store, device, keep))
        print(f"done: {name}", flush=True)
    if results:
        scores(results)
        promise(results)
    if sure:
        table(["set", "splits", "calibration / test cells", "accuracy", "ECE before",
               f"after (≤ 0.05 with ≥ {MANY} test cells)", "coverage at 90 %, exact",
               "coverage of the sets shown", "labels a set"], sure)  # fmt: skip


if __name__ == "__main__":
    main()
