"""The probe of the encoders: what it samples, and that its two ends are where they should be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.probe_encoders import PROBES, probe, subsample, table, untrained
from scmpt_core import fusion
from scmpt_core.data import MIN_CLASS, load
from scmpt_core.encoders.registry import scgpt_mini_folder
from scmpt_core.encoders.scgpt import load_checkpoint
from scmpt_core.fusion import Task
from tests.conftest import toy


@pytest.fixture
def task(write) -> Task:
    return fusion.make_task(load(write(toy(n_per_type=60))), "cell_type", "donor")


def test_a_sample_keeps_proportions_small_classes_and_groups(task):
    small = subsample(task, 45)
    assert np.bincount(small.codes).tolist() == [15, 15, 15]
    assert len(small.groups) == len(small.cells) == 45
    assert np.bincount(subsample(task, 6).codes).min() == MIN_CLASS
    assert subsample(task, 0) is subsample(task, 10_000) is task
    assert (subsample(task, 45).cells.ids == small.cells.ids).all()


@pytest.mark.parametrize("part", ["test", "development"])
def test_perfect_features_score_one_and_noise_does_not(task, part):
    plain = replace(task, groups=None)
    split = plain.splits(0)[0]
    rng = np.random.default_rng(0)
    perfect = np.eye(3)[task.codes] + rng.normal(0, 0.01, (len(task.codes), 3))
    noise = rng.normal(size=(len(task.codes), 3))
    assert probe(perfect, task.codes, split, "cosine", part) == dict.fromkeys(PROBES, 1.0)
    assert max(probe(noise, task.codes, split, "euclidean", part).values()) < 0.7


def test_untrained_has_the_shape_and_nothing_else_of_the_checkpoint():
    checkpoint = load_checkpoint(scgpt_mini_folder())
    first, again = untrained(checkpoint, 0), untrained(checkpoint, 0)
    assert first.model.config == checkpoint.model.config
    assert first.sha256 == again.sha256 != untrained(checkpoint, 1).sha256  # it keys the store
    a, b, c = (m.model.encoder.embedding.weight for m in (first, again, checkpoint))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_the_table_names_every_set_and_the_mean():
    scores = {"pca": {"knn": 0.5, "linear": 1.0}}
    sets = {"one": {"cells": 3, "scores": scores}, "two": {"cells": 4, "scores": scores}}
    lines = table({"sets": sets}).splitlines()
    assert lines[0] == "| set | cells | pca |"
    assert lines[-1] == "| mean | | 0.500 / 1.000 |"
