"""One gene on the map and by type: colours that read on both pages, numbers that are numpy's."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from plotly.colors import sample_colorscale

from scmpt_core import plots
from scmpt_core.plots.gene import EXPRESSED

GREY = (0x9A, 0xA0, 0xA6)
PAGES = {"light": (255, 255, 255), "dark": (0x17, 0x16, 0x14)}  # Streamlit's backgrounds


def luminance(colour) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = np.asarray(colour) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_expression_reads_on_a_light_and_a_dark_page_and_without_colour():
    scale = 255 * np.array(sample_colorscale(EXPRESSED, np.linspace(0, 1, 41), colortype="tuple"))
    light = [luminance(colour) for colour in scale]
    assert np.all(np.diff(light) < 0)
    for page in map(luminance, PAGES.values()):
        for each in light:
            low, high = sorted((page, each))
            assert (high + 0.05) / (low + 0.05) >= 3  # WCAG's least for what is no text


def test_cells_without_the_gene_are_grey_and_lie_below():
    points = np.arange(8.0).reshape(4, 2)
    drawn = plots.expression_map(points, np.array([2.0, 0.0, 1.0, 0.0]), "LYZ")
    none, some = drawn.figure.data
    assert [rows.tolist() for rows in drawn.rows] == [[1, 3], [2, 0]]
    assert none.marker.color == "#9AA0A6"
    assert list(some.marker.color) == [1, 2]
    assert (some.marker.cmin, some.marker.cmax) == (0, 2)
    assert some.marker.colorbar.title.text == "log expr."
    only_none = plots.expression_map(points, np.zeros(4), "LYZ").figure.data
    assert [trace.marker.color for trace in only_none] == ["#9AA0A6"]


def test_many_cells_without_the_gene_are_grey_in_the_picture():
    n = plots.PICTURE + 5
    points, values = np.zeros((n, 2)), np.zeros(n)
    points[0], values[1] = 1, 3.0
    figure = plots.expression_map(points, values, "LYZ").figure
    data = base64.b64decode(figure.layout.images[0].source.split(",")[1])
    picture = np.asarray(Image.open(io.BytesIO(data)))
    colours = {tuple(c) for c in picture[picture[..., 3] > 0][:, :3].tolist()}
    assert colours == {GREY, (0xC0, 0x17, 0x58)}  # the one cell lies on top of all others


def test_numbers_of_each_type_are_numpys():
    rng = np.random.default_rng(0)
    values = rng.exponential(size=60) * (rng.random(60) < 0.5)
    types = np.array(["a", "b", "<c>", ""])[np.arange(60) % 4]
    values[types == "b"] += 5
    rows = plots.by_type(values, types)
    assert rows[0].type == "b"
    assert {row.type for row in rows} == {"a", "b", "<c>"}
    for row in rows:
        mine = values[types == row.type]
        assert row.cells == 15
        assert row.share == np.mean(mine > 0)
        assert row.mean == pytest.approx(mine.mean())
        assert row.percentiles == pytest.approx(np.quantile(mine, [0.05, 0.25, 0.5, 0.75, 0.95]))
    assert plots.expressed_words(values) == (
        f"{(values > 0).sum()} of 60 cells express it ({(values > 0).mean():.1%}); grey: the "
        "others."
    )


def test_boxes_and_shares_stand_beside_one_another_in_the_types_colours():
    values = np.array([0.0, 2.0, 4.0, 1.0])
    types = np.array(["B", "B", "B", "T"])
    figure = plots.expression_by_type(plots.by_type(values, types), ["A", "B", "T"])
    box_b, bar_b, box_t, bar_t = figure.data
    assert (box_b.median[0], box_b.mean[0], bar_b.x[0]) == (2, 2, pytest.approx(200 / 3))
    assert (box_t.median[0], bar_t.x[0]) == (1, 100)
    styles = plots.class_styles(["A", "B", "T"])
    assert (box_b.line.color, bar_t.marker.color) == (styles["B"][0], styles["T"][0])
    assert list(figure.layout.yaxis.ticktext) == ["B (3)", "T (1)"]
