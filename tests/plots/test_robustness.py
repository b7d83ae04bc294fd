"""Bars of a robustness card show its numbers."""

from __future__ import annotations

import pytest

from scmpt_core.plots import outcomes


def test_three_parts_add_up_to_all_cells():
    trials = [
        {"n": 40, "unknown": {"far": 0.2, "undecided": 0.05}, "wrong": 0.1},
        {"n": 7, "unknown": {}, "wrong": 1.0},
    ]
    figure = outcomes(trials, ["T <b>", "NK"], "type held back")
    right, unknown, wrong = (trace.x for trace in figure.data)
    assert right == pytest.approx((65, 0))
    assert unknown == pytest.approx((25, 0))
    assert wrong == pytest.approx((10, 100))
    assert figure.layout.yaxis.ticktext == ("T &lt;b&gt;", "NK")
    assert figure.layout.yaxis.title.text == "type held back"
    assert [tuple(each) for each in figure.data[0].customdata] == [("T <b>", 40), ("NK", 7)]
