"""Figures of ablations: what is drawn is what the rows say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scmpt_core.ablations import Row, get_ablation
from scmpt_core.intervals import Interval
from scmpt_core.plots import ablations as figures
from scmpt_core.plots.palette import MODALITIES, OTHER_FUSED, RECOMMENDED


def row(name, drop=0.2, strength=None, regime="fixed", way="both", target="", **other):
    sd = other.pop("sd", None)
    interval = Interval(drop - 0.05, drop + 0.1, 0.95, "cells", 50)
    made = Row(regime, name, target, strength, way, 50, 1, 0.9 - drop, 0.8 - drop, sd, sd,
               drop, drop, interval, 0.25, 0.1, 0.0)  # fmt: skip
    return replace(made, **other)


ROWS = [row("hash", 0.4, 1.0), row("dropout", 0.3, 0.25), row("zero-block", 0.1, target="pca")]


def bars(figure):
    """Place → (length, family, pattern)."""
    return {
        y: (x, trace.name, trace.marker.pattern.shape)
        for trace in figure.data
        for x, y in zip(trace.x, trace.y, strict=True)
    }


def test_the_board_keeps_the_order_and_colours_families():
    figure = figures.board(ROWS)
    assert bars(figure) == {
        0: (0.4, "identity", ""), 1: (0.3, "content", ""), 2: (0.1, "encoders", ""),
    }  # fmt: skip
    assert len({trace.marker.color for trace in figure.data}) == 3
    assert figure.layout.yaxis.ticktext[2] == "Embedding zeroed (pca)"
    assert figure.data[0].error_x.array == pytest.approx([0.1])
    assert figure.data[0].error_x.arrayminus == pytest.approx([0.05])
    assert len(set(figures.FAMILY_COLOURS.values())) == 6


def test_two_regimes_stand_side_by_side_and_differ_without_colour():
    beside = [row("dropout", 0.05, 0.25, "refit"), row("hash", 0.02, 1.0, "refit")]
    drawn = bars(figures.board(ROWS, beside))
    assert drawn[-0.2] == (0.4, "identity", "")
    assert drawn[0.2] == (0.02, "identity", "/")
    assert drawn[1.2] == (0.05, "content", "/")
    told = [t.name for t in figures.board(ROWS, beside).data if t.showlegend]
    assert sorted(told) == ["content", "encoders", "identity"]


def test_without_known_types_the_board_shows_flips():
    rows = [row("hash", accuracy=None, macro_f1=None, accuracy_drop=None, macro_f1_drop=None,
                interval=None)]  # fmt: skip
    figure = figures.board(rows)
    assert list(figure.data[0].x) == [0.25]
    assert figure.layout.xaxis.title.text == figures.FLIPPED
    assert figure.data[0].error_x.array is None


def test_ways_have_the_colours_of_their_models():
    styles = figures.way_styles(["scmpt", "minilm", "ember-v1"], ["minilm", "ember-v1"])
    assert styles["scmpt"] == (RECOMMENDED, "solid")
    assert styles["minilm"] == (MODALITIES["text"], "solid")
    assert styles["ember-v1"] == (MODALITIES["text"], "dash")  # equal colours, other dashes
    assert figures.way_styles(["mine"], ["pca"])["mine"][0] == MODALITIES["expression"]
    assert figures.way_styles(["mine"], ["pca", "minilm"])["mine"][0] == OTHER_FUSED


def test_a_curve_runs_from_weak_to_strong():
    lines = {"scmpt": [row("dropout", d, s, sd=0.01) for s, d in ((0.1, 0.1), (0.5, 0.3))]}
    styles = {"scmpt": (RECOMMENDED, "solid")}
    figure = figures.curve(lines, {"scmpt": 0.8}, styles, get_ablation("dropout").strength)
    line, dotted = figure.data
    assert list(line.x) == [10, 50]  # percent
    assert list(line.y) == pytest.approx([0.7, 0.5])
    assert list(line.error_y.array) == [0.01, 0.01]
    assert (list(dotted.y), dotted.line.dash) == ([0.8, 0.8], "dot")
    assert figure.layout.xaxis.autorange is True
    less = {"scmpt": [row("window", d, s) for s, d in ((5, 0.4), (80, 0.1))]}
    figure = figures.curve(less, {"scmpt": 0.8}, styles, get_ablation("window").strength)
    assert list(figure.data[0].x) == [5, 80]
    assert figure.data[0].error_y.array is None
    assert (figure.layout.xaxis.autorange, figure.layout.xaxis.type) == ("reversed", "log")


def test_types_and_ablations_keep_their_numbers():
    values = np.array([[0.5, -0.1], [0.0, 0.2]])
    figure = figures.type_heat(values, ["<T>", "B"], [30, 2], ["Names hashed", "x"], recall=True)
    heat = figure.data[0]
    np.testing.assert_array_equal(heat.z, values)
    assert (heat.zmin, heat.zmax) == (-0.5, 0.5)  # so that 0 is the middle of the colours
    assert heat.customdata[0][1].tolist() == ["&lt;T&gt;", "x"]
    assert list(figure.layout.yaxis.ticktext) == ["&lt;T&gt; (30)", "B (2)"]
    flips = figures.type_heat(np.abs(values), ["T", "B"], [1, 1], ["a", "b"], recall=False).data[0]
    assert (flips.zmin, flips.zmax) == (0, 1)


def test_before_and_after_differ_in_their_signs():
    styles = {"scmpt": (RECOMMENDED, "solid"), "pca": (MODALITIES["expression"], "solid")}
    figure = figures.before_after(["scmpt", "pca"], [0.9, 0.8], [0.5, 0.8], styles, "macro F1")
    before, after = figure.data[-2:]
    assert (list(before.x), before.marker.symbol) == ([0.9, 0.8], "circle-open")
    assert (list(after.x), after.marker.symbol) == ([0.5, 0.8], "circle")
    assert list(figure.layout.yaxis.ticktext) == ["scmpt", "pca"]
