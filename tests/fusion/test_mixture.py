"""The mixture: pairs of classifiers, mixed by weights that unseen cells gave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from scmpt_core.device import Device
from scmpt_core.fusion import get_head, predict_proba
from scmpt_core.fusion.fits import Budget, Data, Hyperparameters
from scmpt_core.progress import silent

CPU = Device("cpu", torch.float32, "test")
FEW = Budget("few", "two settings", tuple(Hyperparameters(rate, max_epochs=8) for rate in
                                          (1e-4, 1e-3)))  # fmt: skip
BLOCKS = (3, 6)


def planted(n, seed=0):
    """Block one tells the three classes apart, block two is noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    good = np.eye(3)[y] * 3 + rng.normal(size=(n, 3))
    return np.hstack([good, 5 * rng.normal(size=(n, 6))]).astype(np.float32), y


@pytest.fixture(scope="module")
def data():
    return Data(planted(240), planted(60, 1), 3, BLOCKS)


@pytest.fixture(scope="module")
def fit(data):
    return get_head("mixture").fit(data, FEW, 0, CPU, silent)


def test_probabilities_are_the_weighted_mean_of_the_members(fit):
    x, _ = planted(40, 2)
    head, parts = fit.head, np.split(x, [3], axis=1)
    expected = np.zeros((40, 3))
    for weight, pair, block in zip(head.weights.tolist(), head.members, parts, strict=True):
        both = [predict_proba(part, block, CPU) for part in (pair.linear, pair.dense)]
        expected += weight * np.mean(both, axis=0)
    np.testing.assert_allclose(predict_proba(head, x, CPU), expected, atol=1e-6)


def test_an_encoder_that_is_noise_has_next_to_no_weight_and_does_no_harm(fit, data):
    assert fit.head.weights.sum() == pytest.approx(1)
    assert fit.head.weights[1] < 0.05
    x, y = planted(600, 3)
    alone = get_head("linear").fit(data.alone(0), FEW, 0, CPU, silent).head
    accuracy = (predict_proba(fit.head, x, CPU).argmax(1) == y).mean()
    assert accuracy >= (predict_proba(alone, x[:, :3], CPU).argmax(1) == y).mean() - 0.01


def test_dense_fits_that_are_there_are_taken_and_change_nothing(fit, data):
    concat = get_head("concat")
    dense = tuple(concat.fit(data.alone(i), FEW, 0, CPU, silent) for i in range(2))
    again = get_head("mixture").fit(
        replace(data, dense=dense), Budget("none", "nothing to search", ()), 0, CPU, silent
    )  # an empty grid cannot be searched: only what was given can have been used
    x, _ = planted(40, 4)
    np.testing.assert_allclose(
        predict_proba(again.head, x, CPU), predict_proba(fit.head, x, CPU), atol=1e-6
    )


def test_one_encoders_block_is_cut_out(data):
    alone = data.alone(1)
    assert alone.blocks == (6,)
    np.testing.assert_array_equal(alone.train[0], data.train[0][:, 3:])
    np.testing.assert_array_equal(alone.validation[0], data.validation[0][:, 3:])
