"""Paired tests against statsmodels, brute force and planted truths."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar as peer_mcnemar

from scmpt_core.significance import PairedTest, holm, mcnemar, permutation_macro_f1


def model(truth: np.ndarray, accuracy: float, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(len(truth)) < accuracy, truth, rng.integers(3, size=len(truth)))


@pytest.mark.parametrize("seed", range(6))
def test_mcnemar_is_statsmodels(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=80)
    a, b = model(truth, 0.9, rng), model(truth, 0.6 + 0.05 * seed, rng)
    table = [
        [((a == truth) == x) & ((b == truth) == y) for y in (True, False)] for x in (True, False)
    ]
    found = mcnemar(truth, a, b)
    assert found.p == pytest.approx(peer_mcnemar(np.sum(table, axis=-1), exact=True).pvalue)
    assert found.difference == pytest.approx(np.mean(a == truth) - np.mean(b == truth))
    assert (found.n, found.unit) == (80, "cells")


def test_mcnemar_by_hand():
    """Six cells only a has right, none only b: 2 / 2⁶. Both wrong in different ways: nothing."""
    truth = np.zeros(10, int)
    a, b = truth.copy(), truth.copy()
    b[:6] = 1
    a[9], b[9] = 1, 2
    assert mcnemar(truth, a, b).p == pytest.approx(2 / 64)
    assert mcnemar(truth, a, a).p == 1
    with pytest.raises(ValueError, match="0 true"):
        mcnemar(truth[:0], a[:0], b[:0])


def macro(truth, predicted) -> float:
    return f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)


def brute(truth, a, b, units) -> float:
    """Share of all ways to swap that reach the difference found."""
    names, unit = np.unique(units, return_inverse=True)
    found = abs(macro(truth, a) - macro(truth, b))
    ways = [np.array(w, bool)[unit] for w in product([False, True], repeat=len(names))]
    reach = [
        abs(macro(truth, np.where(w, b, a)) - macro(truth, np.where(w, a, b))) >= found - 1e-12
        for w in ways
    ]
    return float(np.mean(reach))


@pytest.mark.parametrize("seed", range(3))
def test_enumeration_is_brute_force(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=21)
    a, b = model(truth, 0.9, rng), model(truth, 0.4, rng)
    donors = np.array([f"d{i % 5}" for i in range(21)])
    found = permutation_macro_f1(truth, a, b, 4, groups=donors, unit="donor")
    assert found.p == brute(truth, a, b, donors)
    assert found.difference == pytest.approx(macro(truth, a) - macro(truth, b))
    assert (found.n, found.unit) == (5, "donor")
    few = slice(0, 7)  # of 7 cells at most 2⁷ ways: cells are enumerated too
    found = permutation_macro_f1(truth[few], a[few], b[few], 3)
    assert found.p == brute(truth[few], a[few], b[few], np.arange(7))


def test_random_permutations_come_near_all():
    """The models differ on 14 cells, of which a has 10 right and b the other 4."""
    truth = np.random.default_rng(8).integers(3, size=300)
    a, b = truth.copy(), truth.copy()
    b[:10] = (truth[:10] + 1) % 3
    a[10:14] = (truth[10:14] + 1) % 3
    every = permutation_macro_f1(truth, a, b, 3, permutations=2**14)
    drawn = permutation_macro_f1(truth, a, b, 3, permutations=2000)
    assert 0.05 < every.p < 0.5
    assert drawn.p == pytest.approx(every.p, abs=4 * (every.p / 2000) ** 0.5)
    assert drawn.p * 2001 == pytest.approx(round(drawn.p * 2001))  # (1 + c) / (1 + m)


def test_p_is_uniform_under_the_null_and_small_under_a_difference():
    rng = np.random.default_rng(9)
    null, planted = [], []
    for seed in range(300):
        truth = rng.integers(3, size=200)
        a, b, worse = (model(truth, accuracy, rng) for accuracy in (0.8, 0.8, 0.6))
        null.append(permutation_macro_f1(truth, a, b, 3, 400, seed).p)
        planted.append(permutation_macro_f1(truth, a, worse, 3, 400, seed).p)
    assert kstest(null, "uniform").pvalue > 0.01
    assert np.mean(np.array(planted) < 0.05) > 0.9


def test_donors_that_differ_do_not_fool_the_test_by_donor():
    """Each donor suits one model far better, at random: by cells that looks like a difference."""
    rng = np.random.default_rng(10)
    donors = np.repeat(np.arange(10), 40)
    rejected = np.zeros(2)
    for seed in range(100):
        truth = rng.integers(3, size=400)
        good, bad = model(truth, 0.9, rng), model(truth, 0.5, rng)
        lucky = rng.integers(2, size=10)[donors] == 1
        a, b = np.where(lucky, good, bad), np.where(lucky, bad, good)
        for way, groups in enumerate([None, donors]):
            rejected[way] += permutation_macro_f1(truth, a, b, 3, 1024, seed, groups).p < 0.05
    assert rejected[0] > 30
    assert rejected[1] <= 11


def test_no_difference():
    truth = np.array([0, 1, 1])
    assert permutation_macro_f1(truth, truth, truth, 2) == PairedTest(
        "permutation, macro F1", 0.0, 1.0, 3, "cells"
    )
    with pytest.raises(ValueError, match="0 cells"):
        permutation_macro_f1(truth[:0], truth[:0], truth[:0], 2)
    with pytest.raises(ValueError, match="groups of 2"):
        permutation_macro_f1(truth, truth, truth, 2, groups=truth[:2])


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])
    assert holm([]).shape == (0,)


def test_json():
    found = PairedTest("McNemar, accuracy", 0.1, 0.03, 200, "cells")
    assert PairedTest.from_json(found.to_json()) == found
