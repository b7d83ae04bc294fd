"""Pretraining scgpt-mini: resumable to the bit, views within a cell, a loadable result."""

from __future__ import annotations

import json
from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
import torch

from scmpt_core.cells import Cells
from scmpt_core.encoders.scgpt import ScGPT, ScGPTConfig, load_checkpoint
from scripts import mini_data
from scripts.mini_data import SPECIAL, File, over_vocabulary, panel, read_files, same_cells, views
from scripts.mini_model import distil_losses, fit_teacher, forward
from scripts.mini_run import LOSSES, Recipe
from scripts.pretrain_scgpt_mini import train, write
from tests.conftest import SYMBOLS, toy

VOCAB = {symbol: i for i, symbol in enumerate([*sorted(SYMBOLS), *SPECIAL])}
TINY = Recipe(
    steps=6, embsize=16, nheads=2, d_hid=16, groups=2, cells=6, genes=8, masked=3, absent=3,
    dimensions=5,
)  # fmt: skip


def toy_cells(seed: int = 0) -> Cells:
    """The toy counts, log-normalised."""
    adata = toy(seed=seed)
    counts = adata.X.tocsr().astype(np.float32)
    totals = np.asarray(counts.sum(axis=1)).ravel()
    counts.data = np.log1p(counts.data * np.repeat(1e4 / totals, np.diff(counts.indptr)))
    counts.data = counts.data.astype(np.float32)
    return Cells(counts, adata.var_names.to_numpy(str), adata.obs_names.to_numpy(str))


@pytest.fixture
def files() -> list[File]:
    return [over_vocabulary(toy_cells(seed), f"file{seed}", VOCAB) for seed in (0, 1)]


def test_a_resumed_run_ends_with_the_same_weights(files, tmp_path):
    whole = train(files, VOCAB, TINY, tmp_path / "whole", save_every=2)
    train(files, VOCAB, TINY, tmp_path / "parts", save_every=2, stop_at=3)  # saved at step 2
    resumed = train(files, VOCAB, TINY, tmp_path / "parts", save_every=2)
    assert resumed.step == whole.step == TINY.steps
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    losses = [{k: v for k, v in h.items() if k != "cpu_minutes"} for h in whole.history]
    assert losses == [{k: v for k, v in h.items() if k != "cpu_minutes"} for h in resumed.history]
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_state_of_another_recipe_is_refused(files, tmp_path):
    train(files, VOCAB, TINY, tmp_path, save_every=2, stop_at=2)
    with pytest.raises(SystemExit, match="other settings"):
        train(files, VOCAB, replace(TINY, seed=1), tmp_path)


def test_training_changes_the_losses_and_the_seed_changes_the_weights(files, tmp_path):
    longer = replace(TINY, steps=40, learning_rate=3e-3)
    run = train(files, VOCAB, longer, tmp_path / "a", save_every=40)
    assert run.history[-1]["total"] < run.history[0]["total"]
    assert set(LOSSES) <= set(run.history[-1])
    other = train(files, VOCAB, replace(TINY, seed=1), tmp_path / "b", stop_at=1)
    first = train(files, VOCAB, TINY, tmp_path / "c", stop_at=1)
    table = first.model.encoder.embedding.weight
    assert not torch.equal(table, other.model.encoder.embedding.weight)


def test_the_result_loads_strictly_and_says_what_it_was_made_of(files, tmp_path):
    run = train(files, VOCAB, TINY, tmp_path, stop_at=1)
    write(tmp_path, run, [{"file": "toy.h5ad", "cells": 120}])
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.vocabulary == VOCAB
    assert checkpoint.model.config == run.config
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["weights_sha256"] == checkpoint.sha256
    assert card["recipe"]["seed"] == 0
    assert card["cells_distinct"] + card["cells_held_out"] == 240


def test_the_short_way_through_the_model_is_the_model():
    torch.manual_seed(0)
    model = ScGPT(ScGPTConfig(12, 16, 3, 2, 24, n_bins=7)).eval()
    ids = torch.randint(0, 10, (4, 9))
    values = torch.randint(1, 7, (4, 9)).float()
    values[:, 0], values[:, 1] = -2.0, -1.0
    padding = torch.zeros(4, 9, dtype=torch.bool)
    padding[2, 6:] = True
    expected = model(ids, values, padding)[:, :3]
    torch.testing.assert_close(forward(model, ids, values, padding, 3), expected)


def test_a_view_holds_genes_of_its_cell_and_of_the_panel(files):
    file, rng = files[0], np.random.default_rng(0)
    genes = file.expression.shape[1]
    mask = np.zeros(genes, dtype=bool)
    mask[::2] = True
    rows = np.arange(20)
    ids, values = np.empty((20, 9), np.int64), np.zeros((20, 9), np.float32)
    depth = np.where(rng.random(20) < 0.5, 0.5, 1.0)
    x = file.expression
    arguments = (x.indptr, x.indices, x.data, file.units.data, rows, mask, depth, 11, 9, 5)
    views(*arguments, ids, values)
    again, _ = np.empty_like(ids), values.copy()
    views(*arguments, again, np.zeros_like(values))
    assert np.array_equal(ids, again)  # the seed decides
    for i in range(20):
        mine = ids[i][ids[i] >= 0]
        assert len(set(mine)) == len(mine) > 0
        assert set(mine) <= set(x[i].indices) & set(np.flatnonzero(mask))
        assert ((values[i][ids[i] >= 0] >= 1) & (values[i][ids[i] >= 0] <= 10)).all()


def test_a_panel_only_ever_drops_measured_genes(files):
    rng = np.random.default_rng(0)
    masks = [panel(files[0], rng, files[0].expression.shape[1]) for _ in range(30)]
    assert any(mask.all() for mask in masks)
    assert min(mask.sum() for mask in masks) < len(SYMBOLS) / 2
    assert all(mask.any() for mask in masks)


def test_the_teacher_knows_cells_and_not_files(files):
    shifted = files[1].expression.copy()
    shifted.data += 3.0  # a batch effect on every expressed gene
    teacher = fit_teacher([files[0], replace(files[1], expression=shifted)], 3, 0)
    dense = np.vstack(
        [f - f.mean(axis=0) for f in (files[0].expression.toarray(), shifted.toarray())]
    )
    _, _, expected = np.linalg.svd(dense, full_matrices=False)
    cosines = np.abs((teacher.components * expected[:3]).sum(axis=1))
    assert cosines[0] > 0.99


def test_distillation_does_not_reward_knowing_the_file():
    torch.manual_seed(0)
    cls, target = torch.randn(8, 4), torch.randn(8, 3)
    plain = distil_losses(cls, target, target, 0.1)
    shifted = distil_losses(cls + 5, target - 7, target + 2, 0.1)
    for a, b in zip(plain, shifted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
    assert plain[0] == 0


def test_cells_that_stand_in_another_file_are_found():
    rng = np.random.default_rng(0)
    genes = np.array([f"G{i}" for i in range(300)])

    def random_cells(n: int) -> Cells:
        on = rng.random((n, 300)) < 0.3
        x = sp.csr_matrix(np.where(on, 1 + rng.random((n, 300)), 0).astype(np.float32))
        return Cells(x, genes, np.array([f"c{i}" for i in range(n)]))

    cells = random_cells(30)
    some = cells.take(np.array([3, 5]))
    elsewhere = replace(some, expression=some.expression * np.float32(2))  # normalised otherwise
    elsewhere = elsewhere.restrict(set(genes[:250]))  # and on another panel
    assert not same_cells(cells, random_cells(20)).any()
    assert np.flatnonzero(same_cells(cells, elsewhere)).tolist() == [3, 5]


def test_reading_leaves_out_what_was_asked_and_what_must_stay_unseen(tmp_path, monkeypatch):
    monkeypatch.setattr(mini_data, "MIN_GENES", 2)
    train_on, unseen = tmp_path / "train", tmp_path / "unseen"
    train_on.mkdir(), unseen.mkdir()
    for name, seed in (("a", 0), ("b", 1)):
        toy(seed=seed).write_h5ad(train_on / f"{name}.h5ad")
    found, report = read_files(train_on, VOCAB, ["b"], None)
    assert [f.name for f in found] == ["a"]
    assert report[1]["left_out"] == "asked for"
    ad.concat([toy(seed=0)]).write_h5ad(unseen / "same.h5ad")
    found, report = read_files(train_on, VOCAB, ["b"], unseen)
    assert found == []
    assert report[0]["also_in_unseen"] == report[0]["of"]
