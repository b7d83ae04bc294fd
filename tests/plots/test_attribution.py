"""Figures of genes' scores: what is drawn is what was given."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from scmpt_core.plots import attribution as figures

GENES = ["LYZ", "<b>", "CD14"]
MEAN, SPREAD = np.array([3.0, 2.0, 1.0]), np.array([0.3, 0.2, 0.1])
MARKERS = np.array([True, False, True])


def test_markers_differ_in_colour_pattern_and_sign():
    figure = figures.top_genes(GENES, MEAN, SPREAD, MARKERS, "score")
    known, other, *_ = figure.data
    assert (known.name, list(known.y), list(known.x)) == (figures.MARKER, [0, 2], [3.0, 1.0])
    assert (other.name, list(other.y), list(other.x)) == (figures.OTHER, [1], [2.0])
    assert known.marker.color != other.marker.color
    assert (known.marker.pattern.shape, other.marker.pattern.shape) == ("/", "")
    assert known.marker.pattern.bgcolor == known.marker.color  # else the bar is see-through
    assert list(figure.layout.yaxis.ticktext) == ["◆ LYZ", "&lt;b&gt;", "◆ CD14"]


@pytest.mark.parametrize("markers", [[True, False, False, True], [False, True, False, False]])
def test_a_lone_marker_covers_no_neighbour(markers):
    figure = figures.top_genes(list("ABCD"), np.ones(4), None, np.array(markers), "score")
    edges = sorted(
        (y - trace.width / 2, y + trace.width / 2)
        for trace in figure.data for y in trace.y
    )  # fmt: skip
    assert len(edges) == 4
    assert all(end < start for (_, end), (start, _) in pairwise(edges))


def test_the_spread_reaches_to_both_sides_dark_in_white():
    *_, white, dark = figures.top_genes(GENES, MEAN, SPREAD, MARKERS, "score").data
    for line in (white, dark):
        np.testing.assert_allclose(np.array(line.x).reshape(3, 3)[:, :2],
                                   np.column_stack([MEAN - SPREAD, MEAN + SPREAD]))  # fmt: skip
        assert list(line.y) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert white.line.width > dark.line.width


def test_without_markers_or_spread_there_is_one_plain_trace():
    figure = figures.top_genes(GENES, MEAN, None, None, "score")
    assert len(figure.data) == 1
    assert list(figure.data[0].x) == [3.0, 2.0, 1.0]
    assert not figure.data[0].showlegend
    assert "◆" not in "".join(figure.layout.yaxis.ticktext)


def test_types_are_drawn_in_shares_of_their_strongest_score():
    scores = np.array([[2.0, -4.0, 1.0], [0.0, 0.0, np.nan]])
    figure = figures.gene_types(scores, GENES, ["Mono", "B"], [5, 2])
    drawn = figure.data[0]
    np.testing.assert_array_equal(drawn.z, [[0.5, 0], [-1, 0], [0.25, np.nan]])
    assert drawn.customdata[1][0].tolist() == ["&lt;b&gt;", "Mono", -4.0]
    assert list(figure.layout.xaxis.ticktext) == ["Mono (5)", "B (2)"]
    assert (drawn.zmin, drawn.zmax) == (-1, 1)


def test_agreement_is_written_out_while_there_is_room():
    few = figures.agreement(np.array([[1, 0.25], [0.25, 1]]), ["LIME, seed 0", "IG"], "Jaccard")
    assert few.data[0].texttemplate
    assert few.data[0].z[0][1] == 0.25
    assert (few.data[0].zmin, few.data[0].zmax) == (0, 1)
    n = figures.FEW_SOURCES + 1
    many = figures.agreement(np.eye(n), [f"m{i}" for i in range(n)], "Jaccard")
    assert many.data[0].texttemplate is None


def test_the_null_is_shares_of_draws_with_the_observed_overlap():
    figure = figures.null_overlap((60, 30, 10), 2, 0.5)
    assert list(figure.data[0].y) == pytest.approx([0.6, 0.3, 0.1])
    assert list(figure.data[0].customdata) == [60, 30, 10]
    lines = {line.name: list(line.x) for line in figure.data[1:]}  # named in the legend
    assert lines == {"observed 2": [2, 2], "expected by chance 0.50": [0.5, 0.5]}
    assert not figure.layout.annotations  # words beside a line would stand on a bar


def test_an_overlap_beyond_all_draws_is_in_the_picture():
    figure = figures.null_overlap((90, 10), 4, 0.1)
    assert figure.layout.xaxis.range[1] > 4


def test_curves_and_yardsticks_are_told_apart_without_colour():
    ks = np.array([1, 2, 3])
    figure = figures.precision(
        {"IG": np.array([1, 0.5, np.nan]), "LIME": np.array([1, 1, 0.67])},
        {"differential expression": np.array([1, 1, 1])}, ks,
    )  # fmt: skip
    assert [line.name for line in figure.data] == ["IG", "LIME", "differential expression"]
    assert list(figure.data[0].y)[:2] == [1, 0.5]
    looks = {(line.line.dash, line.marker.symbol) for line in figure.data}
    assert len(looks) == 3
