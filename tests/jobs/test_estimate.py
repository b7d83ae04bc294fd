"""Expected times follow what was measured on this device."""

from __future__ import annotations

import pytest

from scmpt_core.jobs.estimate import (
    estimate_classify,
    estimate_compare,
    estimate_map,
)
from scmpt_core.library import known_rates, note_rate


def test_measured_rates_replace_the_reference(home):
    before = estimate_compare(home, "cpu", 1000, ("minilm",), 1, 1)
    assert not before.measured
    for name, rate in (("embed:minilm", 10.0), ("head", 100.0), ("umap", 50.0)):
        note_rate(home, "cpu", name, rate)
    after = estimate_compare(home, "cpu", 1000, ("minilm",), 1, 1)
    assert after.measured
    assert after.embedding == pytest.approx(100, abs=1)  # and a little for pca
    assert after.training == pytest.approx(20)  # minilm+mlp and pca+mlp
    assert known_rates(home, "cuda") == {}
    assert not estimate_compare(home, "cuda", 1000, ("minilm",), 1, 1).measured


def test_time_grows_with_cells_repeats_and_folds(home):
    one = estimate_compare(home, "cpu", 1000, ("minilm", "scgpt-mini"), 1, 1)
    assert estimate_compare(home, "cpu", 2000, ("minilm", "scgpt-mini"), 1, 1).seconds > one.seconds
    folds = estimate_compare(home, "cpu", 1000, ("minilm", "scgpt-mini"), 3, 5)
    assert folds.training == pytest.approx(15 * one.training)
    assert 0 < one.map_share < 1
    assert 0 < one.embedding_share < 1


def test_an_encoder_never_timed_is_named_not_guessed(home):
    estimate = estimate_compare(home, "cpu", 1000, ("ember-v1", "minilm"), 1, 1)
    assert estimate.unknown == ("ember-v1",)
    assert estimate_classify(home, "cpu", 100, ["ember-v1"]).unknown == ("ember-v1",)
    assert estimate_map(home, "cpu", 1000).seconds > 0
