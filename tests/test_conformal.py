"""Conformal sets against mapie, and their coverage over simulated splits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from scipy.special import softmax
from scipy.stats import kstest
from sklearn.base import BaseEstimator, ClassifierMixin

from scmpt_core.conformal import ConformalSets, cell_draws, coverage_report, least_cells
from scmpt_core.errors import SettingError

CLASSES = 5


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose features are its probabilities, as mapie wants one."""

    def fit(self, proba, truth=None):
        self.classes_ = np.arange(proba.shape[1])
        return self

    def predict_proba(self, proba):
        return proba

    def predict(self, proba):
        return proba.argmax(axis=1)


def cells(n: int, seed: int, sharpness: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Over-confident probabilities and labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, size=(n, CLASSES))
    truth = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return softmax(sharpness * logits, axis=1), truth


@pytest.mark.parametrize("n", [25, 60, 117, 1000])
@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_sets_are_mapies(n, coverage):
    proba, truth = cells(n, n)
    new, _ = cells(400, 1)
    peer = SplitConformalClassifier(Given().fit(proba), coverage, "lac", prefit=True)
    expected = peer.conformalize(proba, truth).predict_set(new)[1][:, :, 0]
    found = ConformalSets.fit(proba, truth)
    np.testing.assert_array_equal(found.sets(new, coverage, allow_empty=True), expected)
    np.testing.assert_array_equal(found.scores, np.sort(peer.conformity_scores.ravel()))


@pytest.mark.parametrize(("coverage", "n"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_too_few_cells_give_every_label(coverage, n):
    assert least_cells(coverage) == n
    proba, truth = cells(n, 3)
    enough = ConformalSets.fit(proba, truth)
    short = ConformalSets.fit(proba[:-1], truth[:-1])
    assert enough.attainable(coverage)
    assert enough.threshold(coverage) == enough.scores[-1]
    assert not short.attainable(coverage)
    assert short.sets(proba, coverage).all()


def coverages(n: int, coverage: float, smoothed: bool, ties: bool) -> float:
    """Mean share of covered cells over 1500 draws of n calibration and 60 new cells."""
    proba, truth = cells(40_000, 5)
    if ties:
        proba = np.round(proba, 1)
    rng = np.random.default_rng(6)
    found = []
    for _ in range(1500):
        chosen = rng.choice(len(truth), n + 60, replace=False)
        part, new = chosen[:n], chosen[n:]
        draws = rng.random(60) if smoothed else None
        fitted = ConformalSets.fit(proba[part], truth[part])
        sets = fitted.sets(proba[new], coverage, draws, allow_empty=True)
        found.append(sets[np.arange(60), truth[new]].mean())
    return float(np.mean(found))


@pytest.mark.parametrize(("n", "coverage", "rank"), [(17, 0.9, 17), (17, 0.8, 15), (120, 0.9, 109)])
def test_coverage_of_the_default_is_a_rank(n, coverage, rank):
    """The true label's score is as likely in any of the n + 1 gaps between n others."""
    assert coverages(n, coverage, smoothed=False, ties=False) == pytest.approx(
        rank / (n + 1), abs=0.006
    )


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.97])
@pytest.mark.parametrize("ties", [False, True])
def test_smoothed_coverage_is_exact_with_17_cells(coverage, ties):
    """At 0.97 the default would have to put every label into every set."""
    assert coverages(17, coverage, smoothed=True, ties=ties) == pytest.approx(coverage, abs=0.01)


def test_smoothed_sets_lie_within_the_default_ones():
    proba, truth = cells(37, 7)
    new, _ = cells(3000, 8)
    fitted = ConformalSets.fit(proba, truth)
    whole = fitted.sets(new, 0.9)
    draws = np.random.default_rng(0).random(3000)
    assert not (fitted.sets(new, 0.9, draws) & ~whole).any()
    # 38 × 0.9 = 34.2: the 35th score in a fifth of the cells, the 34th in the others
    below = fitted.scores[33]
    expected = np.where(
        draws[:, None] > 0.8, 1 - new <= fitted.threshold(0.9), 1 - new < below + 1e-12
    )
    np.testing.assert_array_equal(fitted.sets(new, 0.9, draws, allow_empty=True), expected)


def test_no_set_is_empty_unless_asked_for():
    proba, truth = cells(300, 9)
    fitted = ConformalSets.fit(proba, truth)
    new, _ = cells(2000, 10)
    bare, full = fitted.sets(new, 0.3, allow_empty=True), fitted.sets(new, 0.3)
    empty = ~bare.any(axis=1)
    assert empty.any()
    np.testing.assert_array_equal(full[~empty], bare[~empty])
    np.testing.assert_array_equal(full[empty], np.eye(CLASSES, dtype=bool)[new[empty].argmax(1)])


def test_a_cells_draw_is_its_own():
    ids = [f"cell{i}" for i in range(5000)]
    draws = cell_draws(ids, 0)
    assert kstest(draws, "uniform").pvalue > 0.01
    np.testing.assert_array_equal(cell_draws(ids[::-1], 0)[::-1], draws)
    assert abs(np.corrcoef(draws, cell_draws(ids, 1))[0, 1]) < 0.05


def test_json():
    fitted = ConformalSets.fit(*cells(40, 11))
    back = ConformalSets.from_json(json.loads(json.dumps(fitted.to_json())))
    np.testing.assert_array_equal(back.scores, fitted.scores)
    assert (back.method, back.n) == ("lac", 40)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores": [0.2, 0.1]}, "rising"),
        ({"scores": [0.2, 1.1]}, "rising"),
        ({"scores": [0.2, float("nan")]}, "rising"),
        ({"method": "aps"}, "'aps'"),
        ({"n": 3}, "3 were written"),
    ],
)
def test_damaged_json(change, said):
    with pytest.raises(ValueError, match=said):
        ConformalSets.from_json({"method": "lac", "n": 2, "scores": [0.1, 0.2]} | change)


@pytest.mark.parametrize("coverage", [0.0, 1.0, float("nan")])
@pytest.mark.parametrize("draws", [None, np.array([0.5])])
def test_coverage_out_of_range(coverage, draws):
    with pytest.raises(SettingError, match="coverage is"):
        ConformalSets(np.array([0.1])).sets(np.array([[0.4, 0.6]]), coverage, draws)


def test_float32_rows_that_sum_to_more_than_one():
    proba = np.array([[1.0000001, 0.0]], dtype=np.float32)
    assert ConformalSets.fit(proba, np.array([0])).scores.tolist() == [0]
    with pytest.raises(ValueError, match="2 true labels"):
        ConformalSets.fit(proba, np.array([0, 0]))


def test_report_by_hand():
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 1]], dtype=bool)
    truth, donors = np.array([0, 2, 1, 2]), np.array(["x", "x", "y", "x"])
    report = coverage_report(sets, truth, ("a", "b", "c"), donors)
    assert (report.n, report.coverage, report.mean_size, report.singletons) == (4, 0.75, 1.75, 0.5)
    one = {"coverage": 1.0, "n": 1}
    assert report.per_class == {"a": one, "b": one, "c": {"coverage": 0.5, "n": 2}}
    assert report.per_group == {"x": {"coverage": pytest.approx(2 / 3), "n": 3}, "y": one}
    assert json.loads(json.dumps(report.to_json()))["per_class"]["c"]["n"] == 2
    assert coverage_report(sets, truth, ("a", "b", "c")).per_group is None
    with pytest.raises(ValueError, match="3 cells"):
        coverage_report(sets, truth[:3], ("a", "b", "c"))
