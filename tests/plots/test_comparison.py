"""Figures of a comparison: the numbers drawn are the numbers given."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from scmpt_core import plots
from scmpt_core.calibration import reliability, risk_curve
from scmpt_core.evaluation import FUSION
from scmpt_core.fusion import RECOMMENDED, ModelSpec


def row(name, mean, interval=None, sd=None, kind="model", encoders=("pca",), head="linear"):
    ends = None if interval is None else {"low": interval[0], "high": interval[1]}
    metric = {"mean": mean, "sd": sd, "n": 1, "interval": ends}
    return {"name": name, "kind": kind, "encoders": list(encoders), "head": head,
            "macro_f1": metric, "accuracy": metric}  # fmt: skip


ROWS = [
    row("pca+linear", 0.8, interval=(0.61, 0.83)),
    row("minilm+mlp", 0.5, sd=0.1, encoders=("minilm",), head="concat"),
    row("knn", 0.7, kind="baseline", encoders=(), head=None),
]


def test_scores_draw_means_intervals_and_deviations_where_there_is_no_interval():
    figure = plots.scores(ROWS)
    marks = {t.name: t for t in figure.data if t.mode == "markers"}
    assert list(marks["macro F1"].x) == list(marks["accuracy"].x) == [0.8, 0.5, 0.7]
    lines = [t for t in figure.data if t.mode == "lines"]
    assert [tuple(t.x) for t in lines] == 2 * [(0.61, 0.83), pytest.approx((0.4, 0.6))]
    for line, y in zip(lines, [*marks["macro F1"].y[:2], *marks["accuracy"].y[:2]], strict=True):
        assert set(line.y) == {y}  # each at the height of its own mean
    assert "95 % interval: 0.610 to 0.830" in marks["macro F1"].customdata[0]
    assert "mean ± sd of splits: 0.400 to 0.600" in marks["macro F1"].customdata[1]


def test_baselines_stand_apart():
    figure = plots.scores(ROWS)
    places = figure.layout.yaxis.tickvals
    assert places[1] - places[0] == 1
    assert places[2] - places[1] > 1.5
    assert places[1] < figure.layout.shapes[0].y0 < places[2]
    assert not plots.scores(ROWS[:2]).layout.shapes  # nothing to set apart


def test_colours_tell_what_is_read():
    two = ("pca", "minilm")
    fused = row(FUSION, 0.9, encoders=two, head="stacking")
    other = row("scmpt-concat", 0.9, encoders=two, head="concat")
    colours = [plots.model_colour(r) for r in (*ROWS, fused, other)]
    assert len(set(colours)) == 5
    assert plots.model_colour(row("pca+mlp", 0.1, head="concat")) == colours[0]
    assert ModelSpec(two, RECOMMENDED).name == FUSION


def test_confusion_of_two_models_is_their_difference_in_points():
    a, b = np.array([[8, 2, 0], [0, 4, 0], [0, 0, 0]]), np.array([[5, 5, 0], [1, 3, 0], [0, 0, 0]])
    figure = plots.confusion_difference(a, b, ["x", "y", "<z>"], ("m", "<n>"))
    drawn = figure.data[0]
    np.testing.assert_allclose(
        drawn.z, [[30, -30, np.nan], [-25, 25, np.nan], [np.nan, np.nan, np.nan]]
    )
    assert (drawn.zmin, drawn.zmax) == pytest.approx((-30, 30))  # around zero
    assert drawn.customdata[0][1].tolist() == ["x", "y", 2, 5]
    assert "&lt;n&gt;: %{customdata[3]} cells" in drawn.hovertemplate
    assert figure.layout.xaxis.ticktext[2] == "&lt;z&gt;"


def test_equal_confusions_have_nothing_to_draw():
    same = np.array([[3, 1], [0, 2]])
    drawn = plots.confusion_difference(same, same, ["x", "y"], ("m", "n")).data[0]
    assert np.isnan(np.array(drawn.z, dtype=float)).all()
    assert drawn.zmin < 0 < drawn.zmax


def test_class_scores_say_of_how_many_cells():
    f1 = np.array([[0.5, np.nan], [1.0, 0.25]])
    figure = plots.class_scores(f1, ["m", "n"], ["T", "B"], [1200, 0])
    np.testing.assert_array_equal(figure.data[0].z, f1)
    assert list(figure.layout.xaxis.ticktext) == ["T (1,200)", "B (0)"]
    assert figure.data[0].customdata[1][0] == "n<br>T, 1,200 test cells"
    assert figure.data[0].texttemplate
    many = plots.class_scores(np.zeros((10, 30)), list("abcdefghij"), ["t"] * 30, [1] * 30)
    assert many.data[0].texttemplate is None  # unreadable in so many fields


def test_reliability_diagram_draws_shares_intervals_and_counts():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([1, 1, 1], 200)
    truth = rng.integers(0, 3, 200)
    figure = plots.reliability_diagram(reliability(proba, truth))
    line, points, bars = figure.data
    assert tuple(line.x) == tuple(line.y) == (0, 1)
    assert sum(bars.y) == 200
    for x, y, up, down, n in zip(
        points.x, points.y, points.error_y.array, points.error_y.arrayminus, bars.y, strict=True
    ):
        confidence, right = proba.max(axis=1), proba.argmax(axis=1) == truth
        low = np.floor(x * 15) / 15
        mine = (confidence > low) & (confidence <= low + 1 / 15)
        assert mine.sum() == n
        assert y == pytest.approx(right[mine].mean())
        low, high = proportion_confint(right[mine].sum(), n, method="wilson")
        assert (y - down, y + up) == pytest.approx((low, high))


def at(trace, threshold):
    """What the step curve says at a threshold: what the next higher point says."""
    above = [i for i, x in enumerate(trace.x) if x >= threshold]
    return trace.y[above[-1]]


def test_threshold_curve_is_the_share_kept_and_wrong():
    confidence, right = np.array([0.9, 0.8, 0.8, 0.4]), np.array([True, True, False, False])
    figure = plots.threshold_curve(*risk_curve(confidence, right))
    kept, wrong = figure.data
    for threshold in (0.0, 0.3, 0.4, 0.5, 0.8, 0.85, 0.9):
        stay = confidence >= threshold
        assert at(kept, threshold) == pytest.approx(100 * stay.mean())
        assert at(wrong, threshold) == pytest.approx(100 * (~right[stay]).mean())
    assert kept.line.shape == "hv"  # and the drawing goes from high to low


def test_a_long_threshold_curve_is_thinned_to_points_that_lie_on_it():
    rng = np.random.default_rng(0)
    confidence, right = rng.random(20_000), rng.random(20_000) < 0.8
    thresholds, share, _ = risk_curve(confidence, right)
    kept = plots.threshold_curve(*risk_curve(confidence, right)).data[0]
    assert len(kept.x) <= 1001
    assert kept.x[0] == thresholds[0]
    truth = dict(zip(thresholds.tolist(), (100 * share).tolist(), strict=True))
    assert all(truth[x] == y for x, y in zip(kept.x[:-1], kept.y[:-1], strict=True))
    assert (kept.x[-1], kept.y[-1]) == (0, 100)
