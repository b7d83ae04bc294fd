"""Looking at the first split's test cells."""

from __future__ import annotations

import numpy as np

from scmpt_core.evaluation import (
    StoredComparison,
    cells_tested,
    mistakes,
    right_names,
    threshold_costs,
    who_is_right,
)

KINDS = {
    "a+linear": (["a"], "linear"), "a+mlp": (["a"], "concat"), "b+linear": (["b"], "linear"),
    "scmpt": (["a", "b"], "stacking"), "scmpt-linear": (["a", "b"], "linear"),
}  # fmt: skip
# of six cells: the first two were trained on, the next three tested, the last is left out
PREDICTED = {
    "a+linear": [0, 1, 0, 1, 2, 0], "a+mlp": [0] * 6, "b+linear": [0, 1, 0, 0, 0, 0],
    "scmpt": [0, 1, 0, 1, 1, 0], "scmpt-linear": [2] * 6,
}  # fmt: skip


def stored(models: tuple[str, ...] = tuple(KINDS)) -> StoredComparison:
    """A small comparison with what these looks need."""
    rows = [{"name": m, "kind": "model", "encoders": KINDS[m][0], "head": KINDS[m][1]}
            for m in models]  # fmt: skip
    return StoredComparison(
        summary={"models": rows, "dataset": {"classes": ["x", "y", "z"]}},
        confusions={}, order=np.arange(3), histories={},
        ids=np.array([f"c{i}" for i in range(6)]),
        truth=np.array([0, 1, 0, 1, 0, -1]),
        part=np.array([0, 1, 3, 3, 3, -1]),
        predicted={m: np.array(PREDICTED[m]) for m in models},
        probability={m: np.array([0.9, 0.9, 0.6, 0.7, 0.8, 0.9]) for m in models},
        maps={},
    )  # fmt: skip


def test_test_cells_are_those_of_the_first_split():
    assert cells_tested(stored()).tolist() == [2, 3, 4]


def test_the_surest_mistakes_come_first():
    assert mistakes(stored(), "scmpt-linear").tolist() == [4, 3, 2]
    assert mistakes(stored(), "a+linear").tolist() == [4]


def test_who_is_right_tells_four_cases_and_cells_without_a_label():
    truth = np.array([0, 0, 0, 0, -1])
    a, b = np.array([0, 1, 0, 1, 0]), np.array([1, 0, 0, 2, 0])
    names = [*right_names("m", "n"), "no label"]
    assert [names[i] for i in who_is_right(truth, a, b)] == [
        "only m is right", "only n is right", "both are right", "neither is right", "no label",
    ]  # fmt: skip


def test_threshold_costs_are_counted_on_test_cells_alone():
    """Of a+linear the cells at 0.6 and 0.7 are right, that at 0.8 is wrong."""
    thresholds, kept, error = threshold_costs(stored(), "a+linear")
    np.testing.assert_allclose(thresholds, [0.8, 0.7, 0.6])
    np.testing.assert_allclose(kept, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(error, [1, 1 / 2, 1 / 3])
