"""What the numbers allow one to say, on planted answers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from scmpt_core.data import Split
from scmpt_core.evaluation.runs import Run
from scmpt_core.evaluation.verdict import ALONE, BASELINE, HALF, judge
from scmpt_core.metrics import score

CLASSES = ("a", "b", "c")


def planted(accuracies, n=600, seeds=2, groups=None, folds=1, seed=0):
    """A task of n cells, tested in halves, and runs that are right as often as asked for."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, n)
    task = SimpleNamespace(
        codes=codes, classes=CLASSES, group=None if groups is None else "donor", groups=groups
    )
    splits, runs = [], []
    none = np.zeros(0, dtype=int)
    for s in range(seeds):
        order = rng.permutation(n)
        for fold, test in enumerate(np.array_split(order[: n // 2 if folds == 1 else n], folds)):
            test = np.sort(test)
            splits.append(Split(none, none, none, test, "planted"))
            luck = rng.random(len(test))  # shared: the models fail on the same hard cells
            for name, (encoders, head, accuracy) in accuracies.items():
                answers = np.where(luck < accuracy, codes[test], (codes[test] + 1) % 3)
                proba = np.eye(3, dtype=np.float32)[answers]
                runs.append(Run(name, encoders, head, s, fold,
                                score(codes[test], answers, CLASSES), 1.0, proba))  # fmt: skip
    return task, splits, runs


MODELS = {
    "x+linear": (("x",), "linear", 0.70),
    "y+linear": (("y",), "linear", 0.80),
    "scmpt": (("x", "y"), "stacking", 0.90),
    "knn": ((), None, 0.95),
}


def test_the_better_half_and_the_best_baseline_are_found_and_told_apart():
    verdict = judge(*planted(MODELS))
    half, baseline = verdict.pairs
    assert (half.question, half.a, half.b) == (HALF, "scmpt", "y+linear")
    assert (baseline.question, baseline.b) == (BASELINE, "knn")
    assert half.difference == pytest.approx(0.10, abs=0.03)
    assert half.interval.low < half.difference < half.interval.high
    assert (half.won, half.lost, baseline.won, baseline.lost) == (2, 0, 0, 2)
    assert verdict.promise is True
    assert "above its better half, y+linear" in verdict.sentences[0]
    assert "better beyond chance in 2 of 2 splits" in verdict.sentences[0]
    assert "worse beyond chance in 2 of 2 splits" in verdict.sentences[1]


def test_equal_models_are_not_told_apart_and_a_worse_fusion_breaks_the_promise():
    equal = judge(*planted(MODELS | {"scmpt": (("x", "y"), "stacking", 0.80)}))
    assert "do not tell the two apart" in equal.sentences[0]
    assert equal.pairs[0].interval.low == equal.pairs[0].interval.high == 0
    worse = judge(*planted(MODELS | {"scmpt": (("x", "y"), "stacking", 0.75)}))
    assert worse.promise is False


def test_a_half_has_a_head_of_the_fusions_kind_and_a_better_one_of_another_kind_is_told():
    rows = MODELS | {"x+mlp": (("x",), "concat", 0.94), "z+linear": (("z",), "linear", 0.99)}
    half, alone, baseline = judge(*planted(rows)).pairs
    assert (half.question, half.b) == (HALF, "y+linear")  # z is no part of the fusion
    assert (alone.question, alone.b) == (ALONE, "x+mlp")
    assert alone.difference < 0 < half.difference
    assert (baseline.question, baseline.b) == (BASELINE, "knn")
    verdict = judge(*planted(rows))
    assert verdict.promise is True
    assert "below the best encoder alone under any head, x+mlp" in verdict.sentences[1]


def test_holm_counts_every_test_of_a_split():
    task, splits, runs = planted(MODELS)
    tests = [p.splits[0]["tests"] for p in judge(task, splits, runs).pairs]
    p = [t["p"] for pair in tests for t in pair.values()]
    adjusted = [t["holm"] for pair in tests for t in pair.values()]
    assert len(p) == 4  # permutation and McNemar, against half and baseline
    assert min(adjusted) == pytest.approx(min(1, 4 * min(p)))
    assert all(h >= q for h, q in zip(adjusted, p, strict=True))


def test_whole_donors_are_swapped_and_few_of_them_give_no_interval():
    donors = np.array([f"d{i % 8}" for i in range(600)])
    verdict = judge(*planted(MODELS, groups=donors, folds=4))
    half = verdict.pairs[0]
    assert set(half.splits[0]["tests"]) == {"permutation, macro F1"}  # cells are not independent
    assert (half.splits[0]["unit"], half.splits[0]["n"]) == ("donor", 8)
    assert half.splits[0]["tests"]["permutation, macro F1"]["p"] == pytest.approx(2 / 2**8)
    assert (half.interval.unit, half.interval.n) == ("donor", 8)
    few = judge(*planted(MODELS, groups=np.array(["p", "q", "r"] * 200), folds=3))
    assert few.pairs[0].interval is None
    assert few.promise is None
    assert "3 groups are too few" in few.sentences[-1]


def test_one_split_is_said():
    assert "One split" in judge(*planted(MODELS, seeds=1)).sentences[-1]
