"""Scores against hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core.evaluation.comparison import summary
from scmpt_core.metrics import score


def test_worked_example():
    truth = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 1, 1, 1, 0])
    result = score(truth, predicted, ("a", "b", "c", "never"))
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.per_class["a"] == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "support": 3}
    )
    assert result.per_class["c"]["f1"] == 0
    assert "never" not in result.per_class
    assert result.macro_recall == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert result.macro_f1 == pytest.approx((2 / 3 + 0.8 + 0) / 3)
    assert result.confusion.tolist()[0] == [2, 1, 0, 0]


def test_nothing_to_score():
    with pytest.raises(ValueError, match="0 true"):
        score(np.array([]), np.array([]), ("a",))


def test_summary():
    assert summary([1.0, 3.0]) == {"mean": 2.0, "sd": pytest.approx(2**0.5), "n": 2}
    assert summary([1.0]) == {"mean": 1.0, "sd": None, "n": 1}
    assert summary([]) == {"mean": None, "sd": None, "n": 0}
