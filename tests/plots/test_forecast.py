"""The figure of a forecast: the numbers drawn are the numbers given."""

from __future__ import annotations

import pytest

from scmpt_core import plots
from scmpt_core.evaluation import FUSION
from scmpt_core.forecast import Row
from scmpt_core.intervals import Interval


def row(name, best, behind=None, ends=(0.0, 0.0), encoders=("pca",)):
    interval = None if behind is None else Interval(*ends, 0.9, "cells", 300)
    return Row(name, encoders, best, behind, interval, 0.5, {"linear": 0.9}).to_json()


ROWS = [
    row(FUSION, 0.7, 0.0, encoders=("pca", "minilm")),
    row("pca", 0.25, -0.02, (-0.05, 0.01)),
    row("minilm", 0.05, -0.1, (-0.2, -0.03), ("minilm",)),
]


def test_probabilities_and_distances_are_drawn_in_the_models_colours():
    figure = plots.forecast(ROWS)
    bars, *points = figure.data
    assert list(bars.x) == pytest.approx([70, 25, 5])
    assert list(bars.y) == [FUSION, "pca", "minilm"]
    assert list(bars.marker.color) == [plots.model_colour(r) for r in ROWS]
    assert [p.x[0] for p in points] == pytest.approx([0, -2, -10])
    for point, r in zip(points, ROWS, strict=True):
        assert point.marker.color == plots.model_colour(r)
        low, high = 100 * r["interval"]["low"], 100 * r["interval"]["high"]
        assert point.x[0] - point.error_x.arrayminus[0] == pytest.approx(low)
        assert point.x[0] + point.error_x.array[0] == pytest.approx(high)
    titles = (figure.layout.xaxis.title.text, figure.layout.xaxis2.title.text)
    assert titles == ("chance to be best (%)", "points of macro F1")
    assert figure.layout.yaxis.autorange == figure.layout.yaxis2.autorange == "reversed"


def test_without_a_scale_of_macro_f1_there_are_probabilities_alone():
    figure = plots.forecast([row("pca", 0.6), row("minilm", 0.4, encoders=("minilm",))])
    assert len(figure.data) == 1
    assert "xaxis2" not in figure.layout
