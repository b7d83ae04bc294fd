"""The sentence of a cell: every gene a tile, in order, with a value that can be read."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core.plots.sentence import factor_words, sentence, shared_factor

GENES = [f"G{i}" for i in range(5)]
SCORES = np.array([0.5, -2.0, np.nan, 0.0, 1.0])
MARKERS = np.array([True, False, False, False, False])
NONE = np.zeros(5, bool)


def places(trace, across):
    """Gene → column and line of its tile."""
    return {
        int(i): (int(x), round(float(base) + 0.47))
        for i, x, base in zip(trace.customdata, trace.x, trace.base, strict=True)
        if x < across
    }


def test_a_sentence_keeps_the_order_and_writes_every_value():
    read, unread, gone = sentence(GENES, SCORES, MARKERS, NONE, across=3).data
    assert places(read, 3) == {0: (0, 0), 1: (1, 0), 3: (0, 1), 4: (1, 1)}
    assert places(unread, 3) == {2: (2, 0)}
    assert (read.marker.cmin, read.marker.cmax) == (-2, 2)  # so that 0 is the middle
    assert list(read.marker.color) == [0.5, -2.0, 0.0, 1.0]
    assert list(read.text) == ["◆ G0<br>+0.50", "G1<br>-2.00", "G3<br>0", "G4<br>+1.00"]
    assert list(unread.text) == ["G2<br>not read"]
    assert not len(gone.x)


def test_genes_taken_away_are_struck_through_where_they_stood():
    away = np.array([False, True, True, False, False])
    read, unread, gone = sentence(GENES, SCORES, MARKERS, away, across=3).data
    assert list(gone.text) == ["<s>G1</s><br>taken away", "<s>G2</s><br>taken away"]
    assert places(gone, 3) == {1: (1, 0), 2: (2, 0)}
    assert list(read.customdata) == [0, 3, 4]
    assert not len(unread.x)
    assert (read.marker.cmin, read.marker.cmax) == (-2, 2)  # colours of the others stay


@pytest.mark.parametrize(
    ("highest", "power", "shown"),
    [(0.0018, -3, "+1.80"), (0.099, -2, "+9.90"), (0.1, 0, "+0.100"), (12.0, 0, "+12.0"),
     (345.0, 0, "+345"), (34_500.0, 4, "+3.45")],
)  # fmt: skip
def test_small_scores_share_a_factor(highest, power, shown):
    scores = np.array([highest, -highest / 1e4, np.nan])
    assert shared_factor(scores)[0] == power
    figure = sentence(["A", "B", "C"], scores, NONE[:3], NONE[:3])
    # the second rounds to nothing: it has no sign, and its hover text has all of it
    assert list(figure.data[0].text) == [f"A<br>{shown}", "B<br>0"]
    assert figure.data[0].hovertext[1] == f"B<br>score {-highest / 1e4:+.6g}"


def test_the_factor_is_named_where_there_is_one():
    assert factor_words(np.array([0.0018, np.nan])) == "× 10⁻³"
    assert factor_words(np.array([0.5])) == ""
    assert factor_words(np.zeros(2)) == ""


def test_names_are_text_and_never_markup():
    (first, *_) = sentence(["<b>x</b>"], np.ones(1), NONE[:1], NONE[:1]).data
    assert first.text[0] == "&lt;b&gt;x&lt;/b&gt;<br>+1.00"
    assert first.hovertext[0].startswith("&lt;b&gt;")
    assert first.textfont.size >= 11
