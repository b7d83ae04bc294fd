"""Figures of how sure labels are: what is drawn is what was given."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core.plots import labels as label_plots
from scmpt_core.plots.palette import class_styles
from tests.labelling.planted import CONFIDENCE, RIGHT


def test_the_risk_curve_marks_the_chosen_threshold():
    curve, chosen = label_plots.risk(CONFIDENCE, RIGHT, 0.6, 0.12).data[:2]
    assert list(curve.x) == pytest.approx([20, 40, 60, 70, 90, 100])  # % of ten cells
    assert list(curve.y) == pytest.approx([0, 0, 0, 0, 100 / 9, 20])
    assert (list(chosen.x), list(chosen.y)) == (pytest.approx([90]), pytest.approx([100 / 9]))
    shape = label_plots.risk(CONFIDENCE, RIGHT, 0.6, 0.12).layout.shapes[0]
    assert shape.y0 == pytest.approx(12)


def test_every_cell_with_a_probability_is_in_one_bar():
    rng = np.random.default_rng(0)
    probability, outcomes = rng.uniform(size=300), rng.integers(0, 3, 300)
    probability[:7] = np.nan
    names = ["named", "far <b>", "undecided"]
    figure = label_plots.probabilities(probability, outcomes, names, 0.4)
    for i, bar in enumerate(figure.data):
        assert sum(bar.y) == (outcomes[7:] == i).sum()
        assert bar.marker.color == class_styles(names)[names[i]][0]
    assert figure.data[1].name == "far &lt;b&gt;"
    assert figure.layout.shapes[0].x0 == 0.4


def test_an_outcome_keeps_its_colour_where_others_are_missing():
    figure = label_plots.probabilities(np.array([0.5]), np.array([2]), ["a", "b", "c"], 0.4)
    assert [bar.name for bar in figure.data] == ["c"]
    assert figure.data[0].marker.color == class_styles(["a", "b", "c"])["c"][0]


def test_sizes_of_sets_and_shares_of_genes():
    bar = label_plots.set_sizes({0: 1, 1: 5, 3: 2}).data[0]
    assert (list(bar.x), list(bar.y)) == (["0", "1", "3"], [1, 5, 2])
    genes = [
        {"symbol": "LYZ", "share_inside": 0.9, "share_outside": 0.1},
        {"symbol": "<i>", "share_inside": 0.5, "share_outside": 0.2},
    ]
    inside, outside = label_plots.marker_shares(genes, "Mono").data[-2:]
    assert list(inside.y) == ["LYZ", "&lt;i&gt;"]
    assert list(inside.x) == pytest.approx([90, 50])
    assert list(outside.x) == pytest.approx([10, 20])
