"""Who is called Unknown, and why."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core.errors import SettingError
from scmpt_core.fusion import (
    DISAGREE,
    FAR,
    NAMED,
    NO_GENE,
    UNDECIDED,
    UNKNOWN,
    Rule,
    Sureness,
    decide,
    threshold_of,
)


def sureness(n=400, seed=0):
    """Logits whose softmax, at temperature 2, is right exactly as often as it says."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, 3)) * 2
    proba = np.exp(logits / 2)
    proba /= proba.sum(axis=1, keepdims=True)
    truth = (proba.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return Sureness.fit(logits, truth), logits, truth


def test_the_temperature_is_found_and_the_error_asked_for_is_kept_on_new_cells():
    sure, _, _ = sureness(4000)
    assert sure.temperature == pytest.approx(2, rel=0.08)
    _, logits, truth = sureness(4000, seed=1)
    decision = decide(sure.proba(logits), ("a", "b", "c"), sure, Rule(error=0.1))
    named = decision.labels != UNKNOWN
    wrong = decision.labels[named] != np.array(["a", "b", "c"])[truth[named]]
    assert 0.07 < wrong.mean() < 0.13
    assert named.mean() == pytest.approx(decision.expected.kept, abs=0.04)


def test_a_stricter_error_names_fewer_cells():
    sure, logits, _ = sureness()
    shares = [
        (decide(sure.proba(logits), ("a", "b", "c"), sure, Rule(error=e)).labels != UNKNOWN).mean()
        for e in (0.02, 0.1, 0.3)
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def test_reasons_and_which_comes_first():
    sure, _, _ = sureness()
    proba = np.array([[0.99, 0.01, 0.0]] * 4 + [[0.4, 0.35, 0.25]] * 4)
    far = np.array([1, 0.001, 1, 0.001, 1, 0.001, 1, 1])
    disagree = np.array([False, False, True, False, False, False, True, False])
    unread = np.array([False, False, False, True, False, False, False, True])
    decision = decide(proba, ("a", "b", "c"), sure, Rule(0.05, far=0.01), far, disagree, unread)
    assert decision.reasons.tolist() == [
        NAMED, FAR, NAMED, NO_GENE, UNDECIDED, FAR, DISAGREE, NO_GENE,
    ]  # fmt: skip
    assert decision.labels.tolist() == ["a", UNKNOWN, "a"] + [UNKNOWN] * 5


def test_an_error_that_cannot_be_reached_is_said_and_the_least_is_taken():
    # the surest calibration cell is wrong
    sure = Sureness(1.0, sureness()[0].sets, np.array([0.99, 0.9, 0.8, 0.7]),
                    np.array([False, True, True, True]))  # fmt: skip
    cut, reached = threshold_of(sure, 0.0)
    assert not reached
    assert (cut.threshold, cut.error) == (0.7, 0.25)
    nothing = Sureness.fit(np.zeros((0, 3)), np.zeros(0, dtype=int))
    decision = decide(np.array([[0.4, 0.3, 0.3]]), ("a", "b", "c"), nothing, Rule())
    assert (decision.labels[0], decision.threshold, decision.reached) == ("a", 0.0, False)


def test_sureness_is_restored():
    sure, logits, _ = sureness()
    back = Sureness.restore(sure.arrays())
    np.testing.assert_array_equal(back.proba(logits), sure.proba(logits))
    assert back.cut_off(0.1) == sure.cut_off(0.1)
    assert back.sets.threshold(0.9) == sure.sets.threshold(0.9)


@pytest.mark.parametrize("wrong", [{"error": -0.1}, {"far": 2}, {"coverage": 0.2}])
def test_a_rule_out_of_range_is_refused(wrong):
    with pytest.raises(SettingError):
        Rule(**wrong)
