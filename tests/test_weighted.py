"""Weighted scores against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from scmpt_core.weighted import BATCH, weighted_scores


def codes(n: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    return truth, np.where(rng.random(n) < 0.6, truth, rng.integers(classes, size=n))


def peer(truth, predicted) -> list[float]:
    f1 = f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    return [accuracy_score(truth, predicted), f1]


def test_whole_weights_repeat_cells():
    truth, predicted = codes(60, 5, 0)
    weights = np.random.default_rng(1).integers(0, 4, size=(40, 60))
    weights[0] = 1
    weights[1, truth == 2] = 0  # a class that is not drawn is not averaged over
    scores = weighted_scores(truth, predicted, weights, 5)
    expected = [peer(np.repeat(truth, w), np.repeat(predicted, w)) for w in weights]
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_broken_weights_and_batches():
    truth, predicted = codes(3000, 4, 2)
    weights = np.random.default_rng(3).random((2 * BATCH // 3000, 3000))  # more than one batch
    scores = weighted_scores(truth, predicted, weights, 4)
    for row in (0, len(weights) - 1):
        f1 = f1_score(truth, predicted, average="macro", sample_weight=weights[row])
        accuracy = accuracy_score(truth, predicted, sample_weight=weights[row])
        np.testing.assert_allclose(scores[row], [accuracy, f1], rtol=1e-12)


def test_no_weight_is_no_score():
    assert np.isnan(weighted_scores(np.array([0, 1]), np.array([0, 0]), np.zeros((1, 2)), 2)).all()


@pytest.mark.parametrize(
    ("truth", "predicted", "weights", "said"),
    [
        ([0, 1], [0], np.ones((1, 2)), "differ"),
        ([0, 1], [0, -1], np.ones((1, 2)), r"codes -1 … 0"),
        ([0, 3], [0, 1], np.ones((1, 2)), "3 classes"),
        ([0, 1], [0, 1], np.ones((2, 1)), "2 cells"),
    ],
)
def test_misfits(truth, predicted, weights, said):
    with pytest.raises(ValueError, match=said):
        weighted_scores(np.array(truth), np.array(predicted), weights, 3)
