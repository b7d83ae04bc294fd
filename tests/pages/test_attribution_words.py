"""What the Attribution page says of a result, and the tables that it gives away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scmpt_core.attribution import Source
from scmpt_core.attribution.quality import doubts, quality_words
from scmpt_core.markers import open_database
from scmpt_core.ui.attribution.downloads import cell_table, type_table
from scmpt_core.ui.attribution.headline import (
    lack_words,
    origin_words,
    said_words,
    settings_words,
    types_words,
)
from scmpt_core.wording import amount
from tests.conftest import SYMBOLS, TYPES
from tests.pages.test_attribution import WRONG, explained


def told(**settings):
    """The result, with other settings."""
    return replace(explained(), settings=settings)


def with_quality(method: str, **figures):
    """The result, with these figures for each of its cells."""
    result = explained()
    arrays = {name: np.broadcast_to(value, 9).astype(float) for name, value in figures.items()}
    quality = {s: arrays if s.method == method else q for s, q in result.quality.items()}
    return replace(result, quality=quality)


def test_amounts_are_in_the_singular_for_one():
    assert [amount(n, "cell") for n in (0, 1, 2_000)] == ["0 cells", "1 cell", "2,000 cells"]


def test_types_that_lack_cells_are_named():
    assert types_words(told(cells=3)) == "3 types"
    assert (
        types_words(told(cells=4)) == "3 types (fewer than the 4 asked for: B (3), Mono (3), T (3))"
    )
    kept = explained().types != 2  # without T
    whole = explained()
    less = replace(
        whole, ids=whole.ids[kept], types=whole.types[kept], expression=whole.expression[kept],
        reasons=whole.reasons[kept],
        predicted={way: codes[kept] for way, codes in whole.predicted.items()},
        seen={way: matrix[kept] for way, matrix in whole.seen.items()},
        scores={source: matrix[kept] for source, matrix in whole.scores.items()},
    )  # fmt: skip
    assert types_words(less) == "2 of 3 types (none for: T)"
    asked = replace(less, settings={"types": ["B", "Mono"], "types_without_cells": []})
    assert types_words(asked) == "2 types"


def test_whose_logit_and_how_many_unknown():
    result = explained()
    assert said_words(result) == (
        "Scores are for their known type, which the model named right in 8."
    )
    assert "that the model predicts" in said_words(replace(result, known=False))
    reasons = np.array(["", "encoders disagree", *[""] * 7])
    assert "1 of the cells it would call Unknown" in said_words(replace(result, reasons=reasons))
    assert "logit of T in every cell" in said_words(told(target="T"))


@pytest.mark.parametrize(
    ("tested", "training", "said", "warns"),
    [
        (9, 0, "The model was tested on these cells", False),
        (0, 0, "of another file", False),
        (4, 0, "tested on 4 of the cells", False),
        (4, 2, "2 of the 9 cells are the model's training cells", True),
    ],
)
def test_whether_the_model_knew_the_cells(tested, training, said, warns):
    text, warn = origin_words(told(test_cells=tested, training_cells=training))
    assert said in text
    assert warn == warns


def test_older_results_say_nothing_of_where_cells_are_from():
    assert origin_words(told()) == ("", False)
    assert lack_words(told()) == ""


def test_what_plays_no_part_is_said():
    text = lack_words(told(without_weight=["pca"], labels_not_known={"ghost": 12, "doublet": 3}))
    assert "gives pca the weight 0: the whole model does not read it" in text
    assert "does not know the label: ghost (12), doublet (3)." in text


def test_settings_are_those_of_the_methods_that_ran():
    options = {"samples": 500, "permutations": 10, "steps": 16, "text_baseline": "pad",
               "scgpt": "value"}  # fmt: skip
    result = told(options=options, encoders=["scgpt-mini", "pca"], seeds=2,
                  number_formats={"ig": "float32"})  # fmt: skip
    text = settings_words(result)  # by integrated gradients and LIME
    assert "Integrated gradients (float32)" in text
    for said in ("perturbed cells 500", "steps at first 16", "scGPT's path value", "seeds 2"):
        assert said in text
    for not_said in ("orders", "a text"):  # no SHAP, no encoder of texts
        assert not_said not in text
    texts = replace(result, settings={**result.settings, "encoders": ["minilm"]})
    assert "a gene of a text starts as pad" in settings_words(texts)
    assert "scGPT" not in settings_words(texts)


def test_figures_of_lime_are_those_of_cells_left_out():
    rows = np.arange(3)
    good = with_quality("lime", r2=0.99, r2_left_out=0.7, halves=0.9)
    words = quality_words(good, "lime", "both", rows)
    assert "foresee well" in words
    assert "much the same" in words
    assert "0.99" not in words  # what it was fitted to says nothing
    bad = with_quality("lime", r2=0.99, r2_left_out=-0.5, halves=0.1)
    assert "say nothing: they do not foresee" in quality_words(bad, "lime", "both", rows)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"r2_left_out": 0.19, "halves": 0.6}, "R² 0.19"),
        ({"r2_left_out": 0.21, "halves": 0.49}, "correlation 0.49"),
    ],
)
def test_scores_that_are_mostly_chance_are_warned_of(figures, said):
    seeds_agree = {Source("lime", way, 1) for way in ("both", "scgpt-mini")}
    result = with_quality("lime", **figures)
    scores = {s: m for s, m in result.scores.items() if s not in seeds_agree}
    (text,) = doubts(replace(result, scores=scores), "lime", "both", "B", False)
    assert "mostly chance" in text
    assert said in text
    assert "Raise the perturbed cells (there were 1,000)." in text


def test_good_scores_raise_no_doubt():
    result = with_quality("lime", r2_left_out=0.21, halves=0.51)
    one = {s: m for s, m in result.scores.items() if s.seed == 0}
    assert doubts(replace(result, scores=one), "lime", "both", "B", False) == []
    flat = with_quality("ig", difference=np.repeat([0.06, 0.5, 0.5], 3), delta=0.001)
    assert doubts(flat, "ig", "both", "B", False) == []  # above 0.05, and a tenth of 0.5


@pytest.mark.parametrize("change", [0.04, -0.04, 0.9])
def test_a_logit_that_hardly_changes_is_warned_of(change):
    result = with_quality("ig", difference=np.repeat([change, 10.0, 12.0], 3), delta=0.001)
    (text,) = doubts(result, "ig", "both", "B", False)  # 0.9 is below a tenth of the median, 10
    assert f"change the logit of B by {change:.2g} only" in text
    assert doubts(result, "ig", "both", "T", False) == []


def test_scores_that_miss_more_than_is_allowed_are_told():
    result = with_quality("ig", difference=10.0, delta=np.repeat([0.05, 0.01, 0.0], 3))
    (text,) = doubts(result, "ig", "both", "B", False)
    assert text.startswith("In 3 of 3 cells the scores miss more than 1%")
    assert "(at most 5.0%)" in text
    assert doubts(result, "ig", "both", "Mono", False) == []


def test_tables_hold_every_score():
    result = explained()
    cells, types = cell_table(result, {}), type_table(result, {})
    assert len(cells) == 6 * 9 * 30
    one = cells[(cells.cell == "cell4") & (cells.gene == "LYZ") & (cells.seed == 1)]
    one = one[one.way == "scgpt-mini"]
    source = Source("lime", "scgpt-mini", 1)
    assert one["score"].item() == pytest.approx(
        result.scores[source].toarray()[4, SYMBOLS.index("LYZ")]
    )
    mono = types[(types.type == "Mono") & (types.gene == "LYZ") & (types.method == "ig")]
    mono = mono[(mono.way == "both") & (mono.cells == "named right")]
    rows = result.scores[Source("ig", "both")].toarray()[[4, 5], SYMBOLS.index("LYZ")]
    assert mono["mean"].item() == pytest.approx(np.mean(rows))
    assert mono["sd"].item() == pytest.approx(np.std(rows, ddof=1))
    assert mono["n"].item() == 2
    assert SYMBOLS[-1] not in set(types.gene)  # never read


def test_tables_say_markers_model_and_order():
    result, database = explained(), open_database("builtin")
    entry = database.entry("B cell")
    types = type_table(result, {"B": entry}, "my model", database.title)
    mine = types[types.type == "B"].set_index("gene")
    assert set(mine.index[mine.marker == "yes"]) == set(TYPES["B"]) & set(entry.genes)
    assert set(mine.marker) == {"yes", "no"}
    assert set(mine.entry) == {"B cell"}
    assert set(mine.database) == {database.title}
    assert set(types.marker[types.type == "T"]) == {""}
    assert set(types.model) == {"my model"}
    groups = types.groupby(["type", "method", "way", "seed", "cells"], sort=False)["mean"]
    assert all(values.is_monotonic_decreasing for _, values in groups)
    assert types.type.drop_duplicates().tolist() == ["B", "Mono", "T"]
    assert (types.type.ne(types.type.shift()).sum(), groups.ngroups) == (3, 3 * 6 * 2)
    cells = cell_table(result, {"B": entry}, "my model", database.title)
    named = cells[(cells.type == "B") & (cells.marker == "yes")]
    assert set(named.gene) == set(TYPES["B"]) & set(entry.genes)


def test_one_cell_has_no_spread_and_predicted_types_no_right():
    result = explained()
    said = {way: codes.copy() for way, codes in result.predicted.items()}
    said["both"][[WRONG, WRONG + 1]] = 0  # of Mono one is left that was named right
    types = type_table(replace(result, predicted=said), {})
    alone = types[(types.type == "Mono") & (types.way == "both") & (types.cells == "named right")]
    assert set(alone.n) == {1}
    assert alone.sd.isna().all()
    assert ",,".join(["", ""]) in alone.head(1).to_csv(index=False)  # blank, not 0.0
    predicted = type_table(replace(result, known=False), {})
    assert set(predicted.cells) == {"all"}
    assert 2 * len(predicted) == len(type_table(result, {}))
