"""Where models agree, and who is right where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from scmpt_core.evaluation.agreement import AGREE, DIFFER, SEVERAL, agree, agreement_of
from tests.evaluation.test_looks import stored

MODELS = ("a+linear", "b+linear", "scmpt")


def planted():
    """Nine cells: three agree, two times b stands alone, one time scmpt, three all differ."""
    truth = np.array([0, 0, 1, 0, 1, 0, 2, 2, 2])
    codes = np.array(
        [
            [0, 0, 0, 0, 1, 0, 0, 0, 2],
            [0, 0, 0, 1, 0, 0, 1, 1, 1],
            [0, 0, 0, 0, 1, 1, 2, 2, 0],
        ]
    )
    probability = np.tile(np.linspace(0.5, 0.9, 9), (3, 1))
    return agree(MODELS, np.arange(100, 109), codes, probability, truth)


def test_cases_count_every_cell_once_with_who_is_right():
    found = {case.name: case for case in planted().cases}
    assert {name: case.n for name, case in found.items()} == {
        AGREE: 3, "a+linear stands alone": 0, "b+linear stands alone": 2,
        "scmpt stands alone": 1, SEVERAL: 3,
    }  # fmt: skip
    assert sum(case.share for case in found.values()) == pytest.approx(1)
    assert set(found[AGREE].right.values()) == {2}
    assert found["b+linear stands alone"].right == {"a+linear": 2, "b+linear": 0, "scmpt": 2}
    assert found["scmpt stands alone"].right == {"a+linear": 1, "b+linear": 1, "scmpt": 0}
    assert found[SEVERAL].right == {"a+linear": 1, "b+linear": 0, "scmpt": 2}


def test_accuracy_has_wilsons_interval():
    case = next(c for c in planted().cases if c.name == AGREE)
    interval = case.accuracy("scmpt")
    assert (interval.low, interval.high) == pytest.approx(proportion_confint(2, 3, method="wilson"))
    assert planted().cases[1].accuracy("scmpt") is None  # of no cells


def test_cells_apart_come_the_most_certain_first():
    found = planted()
    assert found.apart().tolist() == [108, 107, 106, 105, 104, 103]
    assert found.apart("b+linear stands alone").tolist() == [104, 103]
    assert found.apart("a+linear stands alone").tolist() == []


def test_of_two_models_neither_stands_alone():
    codes, proba = np.array([[0, 1], [0, 0]]), np.ones((2, 2))
    found = agree(("a", "scmpt"), np.arange(2), codes, proba, np.zeros(2, int))
    assert [(case.name, case.n) for case in found.cases] == [(AGREE, 1), (DIFFER, 1)]


def test_four_models_two_against_two():
    codes = np.array([[0], [0], [1], [1]])
    found = agree(tuple("abcd"), np.arange(1), codes, np.ones((4, 1)), np.zeros(1, int))
    assert {case.name: case.n for case in found.cases}[SEVERAL] == 1


def test_only_test_cells_of_encoders_alone_and_the_recommended_fusion_count():
    result = stored()
    found = agreement_of(result)
    assert found.models == ("scmpt", "a+linear", "b+linear")
    assert found.rows.tolist() == [2, 3, 4]
    assert {case.name: case.n for case in found.cases if case.n} == {
        AGREE: 1, "b+linear stands alone": 1, SEVERAL: 1
    }  # fmt: skip


def test_one_encoder_has_nobody_to_agree_with():
    assert agreement_of(stored(models=("a+linear", "a+mlp"))) is None
