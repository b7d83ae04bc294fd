"""The sample: stratified, seeded, its own in any order; nothing fitted sees a held-out cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from scmpt_core.data import MIN_CLASS
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.errors import SettingError
from scmpt_core.forecast import Sample, draw
from scmpt_core.fusion import make_task
from tests.conftest import toy
from tests.helpers import dataset_of

CODES = np.repeat([0, 1, 2, -1], [600, 300, 12, 88])
IDS = np.array([f"cell{i}" for i in range(1000)])


def test_each_class_has_its_share_and_a_small_one_ten_cells():
    rows = draw(CODES, IDS, 300, 0)
    counts = np.bincount(CODES[rows])
    assert counts.tolist() == [round(600 * 300 / 912), round(300 * 300 / 912), MIN_CLASS]
    assert len(np.unique(rows)) == len(rows)


def test_the_same_cells_come_in_the_same_order_however_the_file_is_sorted():
    order = np.random.default_rng(0).permutation(1000)
    mine, theirs = draw(CODES, IDS, 300, 0), draw(CODES[order], IDS[order], 300, 0)
    assert IDS[mine].tolist() == IDS[order][theirs].tolist()
    assert set(mine) != set(draw(CODES, IDS, 300, 1))


def test_few_cells_are_all_taken_and_too_small_a_sample_is_refused():
    assert sorted(draw(CODES, IDS, 5000, 0)) == list(range(912))
    with pytest.raises(SettingError, match="from 20 cells"):
        draw(CODES, IDS, 20, 0)


def encode(encoder, cells, progress):
    return encoder.encode(cells, progress)


@pytest.fixture
def task():
    return make_task(dataset_of(toy()), "cell_type", "donor")


def test_groups_are_never_split(task):
    rows = draw(task.codes, task.cells.ids, 90, 0)
    pca = {"pca": PCAEncoder(get_spec("pca").info)}
    sample = Sample.of(task, rows, pca, {}, 0, encode)
    for name in np.unique(sample.groups):
        assert len(np.unique(sample.folds[sample.groups == name])) == 1
    assert len(np.unique(sample.folds)) == 4


def test_a_fitted_encoder_has_not_seen_the_cells_of_the_fold(task):
    task = replace(task, group=None, groups=None)
    rows = draw(task.codes, task.cells.ids, 120, 0)
    pca = {"pca": PCAEncoder(get_spec("pca").info)}
    sample = Sample.of(task, rows, pca, {}, 0, encode)
    spoilt = task.cells.expression.toarray()
    held = rows[sample.folds == 0]
    spoilt[held] = spoilt[held][:, ::-1]  # other values in the held-out cells alone
    cells = replace(task.cells, expression=sp.csr_matrix(spoilt))
    other = Sample.of(replace(task, cells=cells), rows, pca, {}, 0, encode)
    seen = sample.folds != 0
    np.testing.assert_allclose(sample.held[0]["pca"][seen], other.held[0]["pca"][seen])
    assert not np.allclose(sample.held[1]["pca"][seen], other.held[1]["pca"][seen], atol=0.1)
    assert not np.allclose(sample.whole["pca"][seen], other.whole["pca"][seen], atol=0.1)
