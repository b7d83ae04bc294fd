"""Spread and shift are recovered where they were planted, and probabilities follow from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from scmpt_core.forecast import Calibration, Case, Probed, calibrate, chances
from tests.forecast.planted import probed_of

KINDS = ("genes", "text", "expression", "fused")


def cases_of(n, slope, shift, spread, own, seed=0, source="abcdef"):
    """What training shows is slope · what the probe says + shift + noise; the probe is noisy."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        true = rng.normal(0.8, 0.1, 4)
        said = true + rng.normal(0, own, 4)
        resamples = said + rng.normal(0, own, (200, 4))
        got = slope * true + np.array(shift) + rng.normal(0, spread, 4)
        out.append(Case(source[i % len(source)], KINDS, Probed(KINDS, said, resamples), got))
    return out


def test_planted_shift_slope_and_spread_are_found():
    shift = [0.03, -0.03, 0.01, -0.01]
    found = calibrate(cases_of(3000, 0.5, shift, 0.02, 0.0), shifted=True, scaled=True)
    assert found.slope == pytest.approx(0.5, abs=0.02)
    assert [found.shift[k] for k in KINDS] == pytest.approx(shift, abs=0.003)
    assert found.spread == pytest.approx(0.02, abs=0.001)


def test_spread_is_what_the_probes_own_resampling_leaves_unexplained():
    found = calibrate(cases_of(3000, 1.0, [0] * 4, 0.03, 0.04), shifted=False, scaled=False)
    assert (found.slope, found.shift) == (1.0, {})
    assert found.spread == pytest.approx(0.03, abs=0.002)
    assert calibrate(cases_of(600, 1.0, [0] * 4, 0.0, 0.04), False, False).spread < 0.015


def test_every_dataset_weighs_the_same():
    one = cases_of(1, 1.0, [0] * 4, 0.0, 0.0, source="a")
    shift = [0.1, -0.1, 0.0, 0.0]
    many = cases_of(50, 1.0, shift, 0.0, 0.0, source="b")
    found = calibrate([*one, *many], shifted=True, scaled=False)
    assert [found.shift[k] for k in KINDS] == pytest.approx(np.array(shift) / 2)


def test_no_cases_are_refused():
    with pytest.raises(ValueError, match="no cases"):
        calibrate([], True, True)


def test_the_probability_of_two_rows_is_that_of_the_normal_distribution():
    probed = probed_of("ab", [0.84, 0.80], np.tile([0.84, 0.80], (50, 1)))
    draws = Calibration(spread=0.03).draws(probed, ("text", "genes"), 0)
    wanted = norm.cdf(0.04 / (0.03 * np.sqrt(2)))
    assert chances(draws)[0] == pytest.approx(wanted, abs=0.02)
    assert (draws[:, 0] - draws[:, 1]).mean() == pytest.approx(0.04, abs=0.002)
    moved = Calibration(shift={"text": -0.04}, spread=0.03).draws(probed, ("text", "genes"), 0)
    assert chances(moved)[0] == pytest.approx(0.5, abs=0.02)


def test_the_resamples_spread_is_kept_and_their_bias_is_not():
    rng = np.random.default_rng(0)
    resamples = np.array([0.84, 0.70]) + rng.normal(0, 0.05, (2000, 2))  # b is biased down
    draws = Calibration().draws(probed_of("ab", [0.84, 0.80], resamples), ("text", "genes"), 0)
    apart = draws[:, 0] - draws[:, 1]
    assert apart.mean() == pytest.approx(0.04, abs=0.005)
    assert apart.std() == pytest.approx(0.05 * np.sqrt(2), rel=0.05)


def test_rows_that_tie_share_the_chance():
    assert chances(np.array([[1.0, 1, 0], [0, 0, 1]])).tolist() == [0.25, 0.25, 0.5]
