"""p-values from known scores: uniform for cells like those, and smooth beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import genpareto

from scmpt_core.unknown.tails import SHAPE, Tail, leave_one_out

DRAWS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "uniform": lambda rng, n: rng.uniform(-3, 5, size=n),
    "student": lambda rng, n: rng.standard_t(5, size=n),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("n", [20, 200])
def test_new_scores_of_the_same_kind_are_uniform(name, n):
    rng, draw = np.random.default_rng(0), DRAWS[name]
    p = np.concatenate([Tail.fit(draw(rng, n)).p(draw(rng, 20)) for _ in range(1000)])
    for share in np.arange(1, 20) / 21:
        assert (p <= share).mean() == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize("n", [20, 60])
def test_leave_one_out_is_uniform(n):
    rng = np.random.default_rng(1)
    p = np.concatenate([leave_one_out(rng.normal(size=n)) for _ in range(200)])
    for share in np.arange(1, n - 1) / n:
        assert (p <= share).mean() == pytest.approx(share, abs=0.015)


def test_by_hand():
    """Of 9 scores the highest has 1 in 10; the tail's scale is told from the highest five."""
    tail = Tail.fit(np.arange(9.0))
    np.testing.assert_allclose(tail.p(np.array([0, 1, 1.5, 3, 8])), [0.9, 0.8, 0.75, 0.6, 0.1])
    assert tail.p(np.array([-100.0])) == [0.9]
    above = 3.0  # they lie 1 … 5 above the fourth: 3 on average
    whole = genpareto(SHAPE, scale=(1 - SHAPE) * above)
    beyond = np.array([8.5, 12, 50])
    expected = 0.1 * whole.sf(beyond - 3) / whole.sf(5)  # given that they lie above the highest
    np.testing.assert_allclose(tail.p(beyond), expected)


def test_strange_cells_rank_among_each_other():
    tail = Tail.fit(np.random.default_rng(2).normal(size=100))
    p = tail.p(np.linspace(-4, 1000, 5000))
    assert (np.diff(p) <= 0).all()
    far = tail.p(np.linspace(3, 1000, 500))
    assert (np.diff(far) < 0).all()
    assert 0 < far[-1] < 1e-6


def test_ties_share_the_higher_p_value():
    tail = Tail.fit(np.array([0.0] * 10 + [1.0] * 10))
    assert tail.p(np.array([0.0])) == pytest.approx(20 / 21)
    assert np.isfinite(tail.p(np.array([1.0, 2.0]))).all()
    constant = Tail.fit(np.ones(30))
    assert constant.p(np.array([1.0])) == pytest.approx(30 / 31)
    assert 0 <= constant.p(np.array([2.0]))[0] < 1e-6
