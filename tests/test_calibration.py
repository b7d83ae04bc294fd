"""Calibration against planted probabilities, closed forms and other libraries."""

from __future__ import annotations

import json

import mapie.metrics.calibration
import numpy as np
import pytest
from scipy.special import softmax
from statsmodels.stats.proportion import proportion_confint

from scmpt_core.calibration import (
    TEMPERATURES,
    Bin,
    apply_temperature,
    error_threshold,
    expected_calibration_error,
    fit_temperature,
    reliability,
    risk_curve,
)
from scmpt_core.errors import SettingError


def planted(n: int, classes: int, temperature: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from their softmax at a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, size=(n, classes))
    # the highest of logits plus Gumbel noise is a draw from the softmax
    return logits, (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=1)


def two_classes(confidence: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Class 0 is predicted with these probabilities."""
    top = np.array(confidence)
    return np.stack([top, 1 - top], axis=1), 1 - np.array(right, dtype=int)


def test_planted_probabilities_are_calibrated_and_sharpened_ones_are_not():
    logits, truth = planted(100_000, 6, 1.0, 0)
    assert expected_calibration_error(softmax(logits, axis=1), truth) < 0.005
    assert expected_calibration_error(softmax(3 * logits, axis=1), truth) > 0.05


def test_error_of_overconfidence_in_closed_form():
    """Half say 0.95 and are right on 0.8, half say 0.65 and are right on 0.6."""
    right = [i < 80 for i in range(100)] + [i < 60 for i in range(100)]
    proba, truth = two_classes([0.95] * 100 + [0.65] * 100, right)
    assert expected_calibration_error(proba, truth) == pytest.approx(0.5 * 0.15 + 0.5 * 0.05)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_error_is_mapies(bins):
    logits, truth = planted(500, 4, 1.3, 1)
    proba = softmax(logits, axis=1)
    right = (proba.argmax(axis=1) == truth).astype(int)
    peer = mapie.metrics.calibration.expected_calibration_error(
        right,
        proba.max(axis=1),
        num_bins=bins + 1,
        split_strategy="uniform",  # it counts edges
    )
    assert expected_calibration_error(proba, truth, bins) == pytest.approx(peer)


def test_reliability():
    proba, truth = two_classes([0.6, 0.95, 0.97, 0.91, 1.0], [True, True, False, True, True])
    low, high = reliability(proba, truth, bins=10)  # no cell lies between
    assert (low.low, low.high, low.n, low.accuracy) == (0.5, pytest.approx(0.6), 1, 1.0)
    assert (high.n, high.accuracy) == (4, 0.75)
    assert high.confidence == pytest.approx((0.95 + 0.97 + 0.91 + 1) / 4)
    wilson = proportion_confint(3, 4, method="wilson")
    assert (high.interval.low, high.interval.high) == pytest.approx(wilson)
    assert Bin.from_json(json.loads(json.dumps(high.to_json()))) == high
    with pytest.raises(ValueError, match="0 true"):
        reliability(proba[:0], truth[:0])


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_temperature_is_recovered(temperature):
    logits, truth = planted(20_000, 5, temperature, 2)
    found = fit_temperature(logits.astype(np.float32), truth)
    assert found == pytest.approx(temperature, rel=0.05)
    assert expected_calibration_error(apply_temperature(logits, found), truth) < 0.015


def test_temperature_has_the_least_loss():
    logits, truth = planted(17, 3, 1.7, 3)
    grid = np.exp(np.linspace(*np.log(TEMPERATURES), 2000))
    losses = [-np.log(softmax(logits / t, axis=1)[np.arange(17), truth]).mean() for t in grid]
    assert fit_temperature(logits, truth) == pytest.approx(grid[np.argmin(losses)], rel=0.005)


def test_temperature_at_its_ends():
    logits, _ = planted(50, 3, 1.0, 4)
    assert fit_temperature(logits, logits.argmax(axis=1)) == TEMPERATURES[0]
    assert fit_temperature(logits, logits.argmin(axis=1)) == TEMPERATURES[1]
    assert fit_temperature(logits[:0], np.empty(0, int)) == 1.0
    with pytest.raises(ValueError, match="not finite"):
        fit_temperature(np.array([[0.0, -np.inf]]), np.array([0]))
    with pytest.raises(ValueError, match="temperature is 0"):
        apply_temperature(logits, 0)


def test_apply_temperature():
    logits = np.log(np.array([[0.2, 0.8]], dtype=np.float32))
    np.testing.assert_allclose(apply_temperature(logits, 1), [[0.2, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(apply_temperature(logits, 0.5), [[1 / 17, 16 / 17]], rtol=1e-6)
    np.testing.assert_allclose(apply_temperature(logits * 1e4, 1), [[0, 1]])


def test_risk_curve_is_brute_force():
    rng = np.random.default_rng(5)
    confidence = rng.integers(0, 30, size=200) / 30  # many ties
    right = rng.random(200) < confidence
    threshold, kept, error = risk_curve(confidence, right)
    assert threshold.tolist() == sorted(set(confidence), reverse=True)
    for t, k, e in zip(threshold, kept, error, strict=True):
        inside = confidence >= t
        assert k == inside.mean()
        assert e == pytest.approx(1 - right[inside].mean())


def test_error_threshold():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([False, True, True, True, False])
    assert error_threshold(confidence, right, 0.25) == (0.6, 0.8, 0.25)
    assert error_threshold(confidence, right, 0.4) == (0.5, 1.0, 0.4)
    assert error_threshold(confidence, right, 0.2) is None
    assert error_threshold(confidence[:0], right[:0], 0.5) is None
    with pytest.raises(SettingError, match=r"-0\.1"):
        error_threshold(confidence, right, -0.1)


def test_error_threshold_holds_on_new_cells():
    """On calibrated confidences, the error among new cells comes near the one asked for."""
    logits, truth = planted(40_000, 5, 1.0, 6)
    proba = softmax(logits, axis=1)
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == truth
    cut = error_threshold(confidence[:20_000], right[:20_000], 0.05)
    new = confidence[20_000:] >= cut.threshold
    assert 1 - right[20_000:][new].mean() == pytest.approx(0.05, abs=0.01)
    assert new.mean() == pytest.approx(cut.kept, abs=0.02)
