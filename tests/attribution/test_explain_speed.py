"""The benchmark of explanations: both LIMEs agree on the same cells, and its tables are whole."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from benchmarks.explain_speed import Draws, against_lime, gradients, ours, package
from scmpt_core.attribution import ways_of
from scmpt_core.attribution.lime import sample


def test_both_give_the_same_weights_to_the_same_perturbed_cells(trained):
    """In float32; sampling, the sentences, the encoder, the head and the fit are all in it."""
    cell, encoder = trained.task.cells.take(np.array([7])), trained.model.encoders["minilm"]
    way = next(way for way in ways_of(trained.model) if way.name == "minilm")
    mine, theirs = (run(cell, encoder, way, 1, 40) for run in (ours, package))
    assert np.abs(theirs.weights).max() > 0
    scale = np.abs(theirs.weights).max()
    np.testing.assert_allclose(mine.weights, theirs.weights, atol=1e-3 * scale)
    for run in (mine, theirs):
        assert 0 < run.predicting < run.seconds


def test_the_package_is_given_our_draws():
    present = sample(6, 5, np.random.default_rng(0))
    draws = Draws(present)
    sizes = draws.randint(1, 7, 4)
    assert sizes.tolist() == [6 - row.sum() for row in present[1:]]
    for row, size in zip(present[1:], sizes, strict=True):
        out = draws.choice(range(6), size, replace=False)
        assert out.tolist() == np.flatnonzero(~row).tolist()
    with pytest.raises(IndexError):
        draws.choice(range(6), 1, replace=False)  # no more than there were


def test_the_tables_hold_both_ways_and_every_part(trained, capsys):
    task = trained.task
    rows = np.flatnonzero(trained.model.own(task.cells, "test"))[:2]
    args = argparse.Namespace(rounds=1, samples=20)
    against_lime(trained.model, task.cells.take(rows), task.codes[rows], args)
    labels = trained.dataset.obs["cell_type"].to_numpy(str)
    gradients(trained.model, task.cells, labels, trained.store, 1)
    said = capsys.readouterr().out
    first, last = [line for line in said.splitlines() if line.startswith("| ")][1:3]
    assert first.startswith("| ours, float32 | ")
    assert last.startswith("| lime package, float32 | ")
    alike = float(said.split("weights: at least ")[1].split(".\n")[0])
    assert 0.999 < alike <= 1
    assert "3 cells (1 of each of 3 types at most), 4 ways" in said
    for way in ways_of(trained.model):
        assert f"\n| {way.name} | " in said
