"""Expected times follow what was measured on this device."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from scmpt_core.encoders import EncoderOptions
from scmpt_core.evaluation import Plan
from scmpt_core.jobs.estimate import (
    estimate_classify,
    estimate_compare,
    estimate_map,
    fit_rates,
)
from scmpt_core.library import known_rates, note_rate


def plan(*encoders, seeds=1, effort="quick", sentence="plain"):
    return Plan.of(encoders, effort, (), (), seeds, EncoderOptions(sentence=sentence))


def test_measured_rates_replace_the_reference(home):
    before = estimate_compare(home, "cpu", 1000, plan("minilm"), 1)
    assert not before.measured
    for name, rate in (
        ("embed:minilm", 10.0),
        ("fit:linear", 100.0),
        ("fit:neural:quick", 50.0),
        ("umap", 50.0),
    ):
        note_rate(home, "cpu", name, rate)
    after = estimate_compare(home, "cpu", 1000, plan("minilm"), 1)
    assert after.measured
    assert after.embedding == pytest.approx(100)
    assert after.training == pytest.approx(30)  # minilm+linear 10, minilm+mlp 20
    assert known_rates(home, "cuda") == {}
    assert not estimate_compare(home, "cuda", 1000, plan("minilm"), 1).measured


def test_time_grows_with_cells_repeats_and_folds(home):
    two = plan("minilm", "scgpt-mini")
    one = estimate_compare(home, "cpu", 1000, two, 1)
    assert estimate_compare(home, "cpu", 2000, two, 1).seconds > one.seconds
    folds = estimate_compare(home, "cpu", 1000, plan("minilm", "scgpt-mini", seeds=3), 5)
    assert folds.training == pytest.approx(15 * one.training)
    assert 0 < one.map_share < 1
    assert 0 < one.embedding_share < 1


def test_sentences_that_are_fitted_are_embedded_anew_for_each_split(home):
    once, each = (
        estimate_compare(home, "cpu", 1000, plan("minilm", seeds=3, sentence=sentence), 2)
        for sentence in ("levels", "specific")
    )
    assert each.embedding == pytest.approx(6 * once.embedding)


def test_an_encoder_never_timed_is_named_not_guessed(home):
    estimate = estimate_compare(home, "cpu", 1000, plan("ember-v1", "minilm"), 1)
    assert estimate.unknown == ("ember-v1",)
    assert estimate_classify(home, "cpu", 100, ["ember-v1"]).unknown == ("ember-v1",)
    assert estimate_map(home, "cpu", 1000).seconds > 0


def test_a_wider_grid_takes_longer_and_finished_runs_tell_how_long(home):
    quick = estimate_compare(home, "cpu", 1000, plan("minilm"), 1)
    assert estimate_compare(home, "cpu", 1000, plan("minilm", effort="paper"), 1).training > (
        2 * quick.training
    )
    runs = [SimpleNamespace(head=h, seconds=s) for h, s in
            (("concat", 4.0), ("gated", 6.0), ("linear", 2.0), (None, 1.0))]  # fmt: skip
    rates = fit_rates(runs, "quick", 1000)
    assert rates == {"fit:neural:quick": 200.0, "fit:linear": 500.0, "fit:baseline": 1000.0}
