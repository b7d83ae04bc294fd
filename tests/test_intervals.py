"""Bootstrap intervals: closed forms, planted donors, and whether they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score

from scmpt_core.intervals import MIN_GROUPS, Interval, bootstrap, bootstrap_difference


def answers(right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted codes of two classes, right where told."""
    truth = np.arange(len(right)) % 2
    return truth, np.where(right, truth, 1 - truth)


def test_accuracy_against_the_binomial():
    right = np.arange(400) < 320
    found = bootstrap([(np.arange(400), *answers(right))], 2, "accuracy", replicates=8000)
    expected = binom.ppf([0.025, 0.975], 400, 0.8) / 400
    np.testing.assert_allclose([found.low, found.high], expected, atol=1.5 / 400)
    assert (found.unit, found.n, found.level) == ("cells", 400, 0.95)


def test_macro_f1_against_a_plain_loop():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [100, 60, 12])
    predicted = np.where(rng.random(172) < 0.7, truth, rng.integers(3, size=172))
    drawn = (rng.integers(172, size=172) for _ in range(600))
    scores = [f1_score(truth[d], predicted[d], average="macro") for d in drawn]
    found = bootstrap([(np.arange(172), truth, predicted)], 3, "macro_f1", level=0.8)
    np.testing.assert_allclose([found.low, found.high], np.quantile(scores, [0.1, 0.9]), atol=0.012)


def test_a_cell_in_several_splits_is_one_cell():
    rng = np.random.default_rng(1)
    split = (np.arange(50, 250), *answers(rng.random(200) < 0.7))
    once = bootstrap([split], 2, "macro_f1", 500)
    assert bootstrap([split] * 3, 2, "macro_f1", 500) == once
    # three times as many cells, by contrast, make an interval √3 times narrower
    apart = [(split[0] + 1000 * i, *split[1:]) for i in range(3)]
    ratio = width(once) / width(bootstrap(apart, 2, "macro_f1", 500))
    assert ratio == pytest.approx(3**0.5, rel=0.15)


def width(interval: Interval) -> float:
    return interval.high - interval.low


def test_donors_tested_one_by_one():
    """With a split a donor, it is the bootstrap of the donors' scores."""
    shares = np.linspace(0.2, 0.96, 20)
    splits = [
        (i * 50 + np.arange(50), *answers(np.arange(50) < 50 * s)) for i, s in enumerate(shares)
    ]
    donors = np.repeat([f"d{i}" for i in range(20)], 50)
    found = bootstrap(splits, 2, "accuracy", 8000, groups=donors, unit="donor")
    drawn = np.random.default_rng(5).choice(shares, size=(8000, 20)).mean(axis=1)
    expected = np.quantile(drawn, [0.025, 0.975])
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.01)
    assert (found.unit, found.n) == ("donor", 20)


def test_donors_tested_in_parts_of_several():
    """Five folds of two donors; a fold of which nothing is drawn does not count."""
    shares = np.linspace(0.5, 0.95, 10)
    right = np.concatenate([np.arange(40) < 40 * s for s in shares])
    truth, predicted = answers(right)
    folds = [np.arange(80 * i, 80 * i + 80) for i in range(5)]
    donors = np.repeat([f"d{i}" for i in range(10)], 40)
    found = bootstrap(
        [(f, truth[f], predicted[f]) for f in folds], 2, "accuracy", 8000, groups=donors
    )
    drawn = np.random.default_rng(5).choice(shares, size=(8000, 10)).mean(axis=1)
    np.testing.assert_allclose(
        [found.low, found.high], np.quantile(drawn, [0.025, 0.975]), atol=0.015
    )


@pytest.mark.parametrize("n_groups", [MIN_GROUPS - 1, MIN_GROUPS])
def test_few_groups_give_none(n_groups):
    truth, predicted = answers(np.arange(60) < 45)
    groups = np.array([f"d{i % n_groups}" for i in range(60)] + ["untested"] * 5)
    cells = np.arange(60)
    found = bootstrap([(cells, truth, predicted)], 2, "accuracy", 50, groups=groups)
    gap = bootstrap_difference([(cells, truth, predicted, truth)], 2, "accuracy", 50, groups=groups)
    assert (found is None) == (gap is None) == (n_groups < MIN_GROUPS)


def test_interval_holds_the_true_accuracy():
    """200 data sets of which three overlapping parts are tested; the true accuracy is 0.8."""
    rng = np.random.default_rng(2)
    held = 0
    for seed in range(200):
        truth, predicted = answers(rng.random(400) < 0.8)
        parts = [np.sort(rng.choice(400, 150, replace=False)) for _ in range(3)]
        splits = [(part, truth[part], predicted[part]) for part in parts]
        found = bootstrap(splits, 2, "accuracy", 400, seed)
        held += found.low <= 0.8 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_cells_of_one_donor_are_not_independent():
    """15 donors that differ: resampling cells claims too much, resampling donors does not."""
    rng = np.random.default_rng(3)
    donors = np.repeat([f"d{i}" for i in range(15)], 60)
    held = np.zeros(2)
    for seed in range(150):
        truth, predicted = answers(rng.random(900) < np.repeat(rng.beta(8, 2, 15), 60))
        for way, groups in enumerate([None, donors]):
            found = bootstrap(
                [(np.arange(900), truth, predicted)], 2, "accuracy", 300, seed, groups=groups
            )
            held[way] += found.low <= 0.8 <= found.high
    assert held[0] / 150 < 0.75
    assert 0.88 <= held[1] / 150 <= 0.99


def test_difference_is_paired():
    """b is wrong wherever a is, and on ten more cells: alone they overlap, paired they do not."""
    cells, right = np.arange(500), np.random.default_rng(4).random(500) < 0.8
    truth, a = answers(right)
    b = a.copy()
    b[np.flatnonzero(right)[:10]] = 1 - truth[np.flatnonzero(right)[:10]]
    gap = bootstrap_difference([(cells, truth, a, b)], 2, "accuracy", 8000)
    np.testing.assert_allclose(
        [gap.low, gap.high], binom.ppf([0.025, 0.975], 500, 10 / 500) / 500, atol=1 / 500
    )
    back = bootstrap_difference([(cells, truth, b, a)], 2, "accuracy", 8000)
    np.testing.assert_allclose([back.low, back.high], [-gap.high, -gap.low], atol=1e-12)
    assert bootstrap([(cells, truth, a)], 2, "accuracy").low < right.mean() - 10 / 500


def test_seed_decides():
    split = (np.arange(90), *answers(np.arange(90) % 7 > 0))
    assert bootstrap([split], 2, "macro_f1", 200, 7) == bootstrap([split], 2, "macro_f1", 200, 7)
    assert bootstrap([split], 2, "macro_f1", 200, 7) != bootstrap([split], 2, "macro_f1", 200, 8)


def test_json():
    found = Interval(0.1, 0.2, 0.95, "donor", 8)
    assert Interval.from_json(found.to_json()) == found
    with pytest.raises(ValueError, match=r"from 0\.3"):
        Interval(0.3, 0.2, 0.95, "cells", 8)


def test_misuse():
    cells, (truth, predicted) = np.arange(4), answers(np.ones(4, bool))
    with pytest.raises(ValueError, match="each of them cells"):
        bootstrap([], 2, "accuracy")
    with pytest.raises(ValueError, match="each of them cells"):
        bootstrap([(cells[:0], truth[:0], predicted[:0])], 2, "accuracy")
    with pytest.raises(ValueError, match="1 tested cells belong"):
        bootstrap([(cells, truth, predicted)], 2, "accuracy", groups=np.array(["a", "b", "", "c"]))
    with pytest.raises(ValueError, match="not in tuple"):
        bootstrap([(cells, truth, predicted)], 2, "kappa")
