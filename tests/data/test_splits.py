"""Splits: disjoint, complete, stratified, seeded; groups never torn."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core.data import PARTS, grouped, stratified
from scmpt_core.errors import DataError

CODES = np.array([0] * 100 + [1] * 10 + [2] * 37 + [-1] * 5)


def parts(split):
    return [getattr(split, part) for part in PARTS]


def test_stratified_is_a_partition_with_every_class_in_every_part():
    split = stratified(CODES, 0)
    every = np.concatenate(parts(split))
    assert sorted(every) == np.flatnonzero(CODES >= 0).tolist()
    for part in parts(split):
        assert set(CODES[part]) == {0, 1, 2}
    assert len(split.train) == pytest.approx(147 * 0.6, abs=3)


def test_seed_decides():
    assert stratified(CODES, 3).train.tolist() == stratified(CODES, 3).train.tolist()
    assert stratified(CODES, 3).train.tolist() != stratified(CODES, 4).train.tolist()


@pytest.mark.parametrize("n_groups", [3, 4, 5, 8, 19])
def test_groups_stay_whole_and_are_each_tested_once(n_groups):
    rng = np.random.default_rng(0)
    codes = rng.integers(-1, 3, 600)
    groups = np.array([f"d{i % n_groups}" for i in range(600)])
    tested = []
    for split in grouped(codes, groups, 1):
        assert np.concatenate(parts(split)).size == (codes >= 0).sum()
        test, train = set(groups[split.test]), set(groups[split.train])
        chosen = set(groups[split.validation]) | set(groups[split.calibration])
        assert not test & train
        assert not chosen & (test | train)
        assert train
        assert min(len(p) for p in parts(split)) > 0
        if n_groups >= 4:
            assert not set(groups[split.validation]) & set(groups[split.calibration])
        tested += sorted(test)
    assert sorted(tested) == sorted(set(groups))


def test_fewer_than_three_groups():
    with pytest.raises(DataError, match="2 groups"):
        grouped(np.zeros(20, int), np.array(["a", "b"] * 10), 0)
