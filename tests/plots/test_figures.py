"""Figures: what a reader sees is what was given."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from scmpt_core import plots


def test_points_lead_back_to_their_cells():
    rng = np.random.default_rng(0)
    points, codes = rng.normal(size=(50, 2)), rng.integers(-1, 3, 50)
    drawn = plots.class_map(points, codes, ["a", "b", "c"], "t", rows=np.arange(0, 50, 2))
    assert sum(map(len, drawn.rows)) == 25
    for curve, rows in enumerate(drawn.rows):
        assert len(set(codes[rows])) == 1
        np.testing.assert_allclose(drawn.figure.data[curve].x, points[rows, 0], atol=1e-6)


def test_outlines_lead_to_the_drawn_cells_inside():
    points = np.array([[0, 0], [1, 1], [2, 2], [3, 3], [1, 1]], dtype=float)
    drawn = plots.class_map(points, np.zeros(5, int), ["a"], "t", rows=np.array([0, 1, 2, 3]))
    box = {"x": [2.5, 0.5], "y": [0.5, 2.5]}
    assert drawn.cells_in([box], []).tolist() == [1, 2]  # cell 4 is there, but not drawn
    triangle = {"x": [-1, 2, -1], "y": [-1.5, 1.5, 1.8]}
    assert drawn.cells_in([], [triangle]).tolist() == [0, 1]
    assert drawn.cells_in([box], [triangle]).tolist() == [0, 1, 2]
    assert drawn.cells_in([], []).tolist() == []
    assert drawn.cells_in([], [{"x": [1], "y": [1]}]).tolist() == []


def test_selected_cells_stand_out_in_every_map():
    points, codes = np.zeros((6, 2)), np.array([0, 0, 1, 1, 1, 0])
    drawn = plots.class_map(points, codes, ["a", "b"], "t", selected=np.array([1, 4]))
    assert [t.selectedpoints for t in drawn.figure.data] == [(1,), (2,)]
    values = plots.value_map(points, np.array([5, 4, 3, 2, 1, 0]), "t", "u", selected=[5])
    assert values.rows[0].tolist() == [5, 4, 3, 2, 1, 0]  # low first, high on top
    assert values.figure.data[0].selectedpoints == (0,)


def painted(figure):
    data = base64.b64decode(figure.layout.images[0].source.split(",")[1])
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("selected", [None, np.arange(10)])
def test_many_cells_are_a_picture_that_holds_and_finds_them_all(selected):
    n = plots.PICTURE + 5
    points = np.random.default_rng(0).uniform(size=(n, 2))
    codes = (points[:, 0] > 0.5).astype(int)
    drawn = plots.class_map(points, codes, ["a", "b"], "t", selected=selected)
    assert sum(map(len, drawn.rows)) == n
    picture = painted(drawn.figure)
    left = picture[:, : picture.shape[1] // 2 - 20]
    shown = np.unique(left[left[..., 3] > 0][:, :3], axis=0)
    assert shown.tolist() == [[0x00, 0x72, 0xB2]]  # class a alone stands on the left
    assert (picture[..., 3] == 255).any()
    assert (picture[..., 3] == 36).any() == (selected is not None)
    box = {"x": [0, 0.5], "y": [0, 1]}
    np.testing.assert_array_equal(drawn.cells_in([box], []), np.flatnonzero(points[:, 0] <= 0.5))


def test_high_values_lie_on_top_of_the_picture():
    n = plots.PICTURE + 5
    points, values = np.zeros((n, 2)), np.linspace(0, 1, n)
    points[0] = 1
    figure = plots.value_map(points, values, "t", "u").figure
    picture = painted(figure)
    colours = np.unique(picture[picture[..., 3] > 0][:, :3], axis=0)
    assert len(colours) == 2  # the lowest alone in its corner, the highest over all others
    assert figure.data[0].marker.cmax == 1


def test_thirty_classes_differ_and_keep_their_style_without_their_neighbours():
    names = [f"type {i:02d}" for i in range(30)]
    styles = plots.class_styles(names)
    assert len(set(styles.values())) == 30
    drawn = plots.class_map(np.zeros((2, 2)), np.array([0, 1]), names[20:22], "t", palette=names)
    assert [t.marker.color for t in drawn.figure.data] == [
        styles[names[20]][0], styles[names[21]][0],
    ]  # fmt: skip
    assert len({colour for colour, _ in styles.values()}) == 30  # small points show no sign


def test_confusion_shows_shares_with_equal_short_names_apart():
    long = "a very long name of a cell type that ends in"
    figure = plots.confusion(np.array([[8, 2], [0, 4]]), [f"{long} 1", f"{long} 2"], "m")
    np.testing.assert_allclose(figure.data[0].z, [[0.8, 0.2], [np.nan, 1]])
    assert figure.data[0].customdata[0][1].tolist() == [f"{long} 1", f"{long} 2", 2]


def test_histogram_counts_every_cell():
    values = np.arange(100.0)
    figure = plots.histogram(values, "genes", low=20, high=50)
    assert sum(figure.data[0].y) == 100
    grey = [c == "#9AA0A6" for c in figure.data[0].marker.color]
    assert grey[0]
    assert grey[-1]
    assert not all(grey)


def test_plotlys_buttons_have_the_top_of_a_titled_map_to_themselves():
    titled = plots.value_map(np.zeros((1, 2)), np.ones(1), "minilm: LYZ", "u").figure.layout
    assert titled.title.text == "minilm: LYZ"
    assert titled.title.y == 1
    assert titled.title.yanchor == "top"
    assert titled.title.pad.t >= 28  # the buttons' height
    assert titled.margin.t >= titled.title.pad.t + 24  # and the title ends above the cells
    bare = plots.value_map(np.zeros((1, 2)), np.ones(1), "", "u").figure.layout
    assert bare.margin.t < titled.margin.t
    assert bare.title.text is None


def test_names_are_written_where_asked_for():
    points, codes = np.zeros((2, 2)), np.array([0, 1])
    written, bare = (
        plots.class_map(points, codes, ["a", "b"], "t", names=names).figure.layout.annotations
        for names in (True, False)
    )
    assert [note.text for note in written] == ["a", "b"]
    assert not bare


def test_names_from_files_are_text():
    drawn = plots.class_map(np.zeros((1, 2)), np.array([0]), ["<b>x</b>"], "t")
    assert drawn.figure.layout.annotations[0].text == "&lt;b&gt;x&lt;/b&gt;"


@pytest.mark.parametrize("n", [2, 30])
def test_class_counts(n):
    counts = {f"t{i}": i + 1 for i in range(n)}
    figure = plots.class_counts(counts)
    assert list(figure.data[0].x) == list(counts.values())
