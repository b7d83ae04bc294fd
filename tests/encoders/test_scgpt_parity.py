"""scGPT held to upstream's own code (scgpt 0.2.4), with random weights.

The whole-human shape and a small one, saved as official checkpoints: same ids and values in,
same ``<cls>`` out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from scmpt_core.device import choose_device
from scmpt_core.encoders import registry
from scmpt_core.encoders.scgpt import ScGPTEncoder, load_checkpoint
from scmpt_core.encoders.scgpt.tokens import GeneTokens
from scmpt_core.progress import silent
from tests import upstream
from tests.helpers import random_cells, tokenise

SHAPES = {"whole-human": upstream.HUMAN, "small": upstream.SMALL}


@pytest.fixture(scope="module")
def vocabulary():
    return upstream.census_vocabulary()


@pytest.fixture(scope="module")
def symbols(vocabulary):
    return np.array([g for g in vocabulary if g not in upstream.SPECIAL])


@pytest.fixture(scope="module", params=SHAPES)
def official(request, vocabulary, tmp_path_factory):
    """Upstream's model, its settings, and a folder of its checkpoint as it is published."""
    args = SHAPES[request.param]
    model = upstream.reference_model(args, vocabulary)
    folder = tmp_path_factory.mktemp(request.param)
    return model, args, upstream.save_official(model, args, vocabulary, folder, flash=True)


def encoder_of(folder):
    checkpoint = load_checkpoint(folder)
    info = replace(registry.SCGPT_HUMAN, dimension=checkpoint.model.config.embsize)
    return ScGPTEncoder(info, checkpoint, choose_device())


def upstreams_cls(model, rows, vocabulary):
    """Upstream's model over one padded batch of our tokens, L2-normalised."""
    width = int(rows.lengths.max())
    real = torch.from_numpy(np.arange(width)[None, :] < rows.lengths[:, None])
    ids = torch.full(real.shape, vocabulary["<pad>"])
    values = torch.full(real.shape, -2.0)
    ids[real], values[real] = torch.from_numpy(rows.ids), torch.from_numpy(rows.values).float()
    with torch.no_grad():
        out = model._encode(ids, values, src_key_padding_mask=~real)
    return torch.nn.functional.normalize(out[:, 0], dim=1).numpy()


def both(official, vocabulary, cells):
    """Our embeddings and upstream's, of the same tokens."""
    model, _, folder = official
    encoder = encoder_of(folder)
    cls = (vocabulary["<cls>"], -2)
    rows = encoder.tokens(cells).rows(np.arange(len(cells)), cls)
    return encoder.encode(cells, silent), upstreams_cls(model, rows, vocabulary)


# One length (nothing padded upstream), and lengths from 0 over vector widths to beyond the limit.
LENGTHS = {"no padding": [90, 90, 90], "padding": [0, 1, 31, 32, 33, 1199, 1500]}


@pytest.mark.parametrize("lengths", LENGTHS)
def test_cls_in_float32(official, vocabulary, symbols, lengths):
    ours, theirs = both(official, vocabulary, random_cells(symbols, LENGTHS[lengths]))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_cls_in_bfloat16(official, vocabulary, symbols, monkeypatch):
    monkeypatch.setenv("SCMPT_DTYPE", "bfloat16")
    ours, theirs = both(official, vocabulary, random_cells(symbols, [0, 1, 33, 250, 1500]))
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    assert (ours * theirs).sum(axis=1).min() >= 0.9999


def test_both_namings_of_attention(vocabulary, symbols, tmp_path):
    model = upstream.reference_model(upstream.SMALL, vocabulary)
    cells, vectors = random_cells(symbols, [40, 7]), []
    for flash in (False, True):
        folder = tmp_path / str(flash)
        upstream.save_official(model, upstream.SMALL, vocabulary, folder, flash)
        ours, theirs = both((model, upstream.SMALL, folder), vocabulary, cells)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        vectors.append(ours)
    np.testing.assert_array_equal(*vectors)


def test_the_padded_model_agrees_with_the_packed_one(official, vocabulary, symbols):
    """The module that trains and attributes against the one that embeds."""
    encoder = encoder_of(official[2])
    rows = encoder.tokens(random_cells(symbols, [12, 45])).rows(
        np.arange(2), (vocabulary["<cls>"], -2)
    )
    expected = upstreams_cls(official[0], rows, vocabulary)
    ids = torch.full((2, 46), vocabulary["<pad>"])
    values = torch.full((2, 46), -2.0)
    for i, (a, b) in enumerate(zip(rows.indptr[:-1], rows.indptr[1:], strict=True)):
        ids[i, : b - a], values[i, : b - a] = map(
            torch.from_numpy, (rows.ids[a:b], rows.values[a:b].astype(np.float32))
        )
    with torch.no_grad():
        out = encoder.model(ids, values, ids == vocabulary["<pad>"])[:, 0]
    np.testing.assert_allclose(
        torch.nn.functional.normalize(out, dim=1).numpy(), expected, atol=1e-5
    )


def test_whole_way_where_nothing_is_drawn(official, vocabulary, symbols):
    """``get_batch_cell_embeddings`` itself, on cells whose values are all different.

    No value then lies on two quantile edges, so upstream's binning draws nothing.
    """
    model, args, folder = official
    rng = np.random.default_rng(0)
    cells = random_cells(symbols[:300], [60, 200, 299])
    cells.expression.data[:] = 1 + rng.permutation(cells.expression.nnz) / 64
    encoder = encoder_of(folder)
    ids = [vocabulary[g] for g in cells.genes]
    theirs = upstream.embed(model, cells.expression.toarray(), ids, vocabulary, args)
    np.testing.assert_allclose(encoder.encode(cells, silent), theirs, atol=1e-5)


def upstreams_bins(values, draws):
    """``draws`` repetitions of upstream's binning of one cell, (draws, genes)."""
    np.random.seed(0)
    row = torch.from_numpy(values)
    return np.stack([upstream.upstream().binning(row, 51).numpy() for _ in range(draws)])


@pytest.mark.parametrize("counts", [4, 12, 300])
@pytest.mark.parametrize("genes", [1, 2, 5, 49, 50, 51, 400])
def test_binning(vocabulary, symbols, counts, genes):
    """Equal where nothing is drawn; where upstream draws, the same bins equally often."""
    cells = random_cells(symbols, [genes], seed=counts, counts=counts)
    rows = tokenise(cells, vocabulary, 51, 5_000)
    column = {vocabulary[g]: i for i, g in enumerate(cells.genes)}
    values = cells.expression.toarray()[0][[column[i] for i in rows.ids]]
    theirs = upstreams_bins(values, 200)
    certain = theirs.min(axis=0) == theirs.max(axis=0)
    fixed = _edges(values)
    np.testing.assert_array_equal(certain[fixed], True)
    np.testing.assert_array_equal(rows.values[fixed], theirs[0][fixed])
    for value in np.unique(values):
        same = values == value
        low, high = theirs[:, same].min(), theirs[:, same].max()
        assert low <= rows.values[same].min()
        assert rows.values[same].max() <= high


def _edges(values):
    """Which values can fall into one bin only."""
    edges = np.quantile(values, np.linspace(0, 1, 50))
    return np.digitize(values, edges) - np.digitize(values, edges, right=True) <= 1


def test_drawn_bins_are_uniform_as_upstreams(vocabulary, symbols):
    """2,000 cells of 60 genes with three values: the draws of each value, all cells together."""
    from scipy.stats import ks_2samp

    cells = random_cells(symbols[:400], [60] * 2_000, counts=4)
    rows = tokenise(cells, vocabulary, 51, 5_000)
    np.random.seed(1)
    column = np.zeros(len(vocabulary), dtype=int)
    column[[vocabulary[g] for g in cells.genes]] = np.arange(len(cells.genes))
    dense = cells.expression.toarray()
    values = dense[np.repeat(np.arange(2_000), rows.lengths), column[rows.ids]].reshape(2_000, 60)
    binning = upstream.upstream().binning
    theirs = np.stack([binning(torch.from_numpy(row), 51).numpy() for row in values])
    ours = rows.values.reshape(2_000, 60)
    for value in np.unique(values):
        drawn = values == value
        assert theirs[drawn].std() > 1  # the value does span several bins
        assert ks_2samp(ours[drawn], theirs[drawn]).pvalue > 1e-3


def test_beyond_the_limit_bins_come_from_the_whole_cell(vocabulary, symbols):
    """As upstream: bins of all genes, then a subset; ``<cls>`` counts into the limit."""
    cells = random_cells(symbols, [1_500])
    whole, cut = tokenise(cells, vocabulary, 51, 5_000), tokenise(cells, vocabulary, 51, 1_199)
    assert cut.lengths.tolist() == [1_199]
    bins = dict(zip(whole.ids, whole.values, strict=True))
    assert cut.values.tolist() == [bins[i] for i in cut.ids]
    collate = upstream.upstream().DataCollator(
        pad_token_id=vocabulary["<pad>"], pad_value=-2, do_mlm=False, max_length=1_200
    )
    genes = torch.from_numpy(np.concatenate([[vocabulary["<cls>"]], whole.ids]))
    example = {"genes": genes, "expressions": torch.ones(1_501)}
    assert collate([example])["gene"].shape == (1, 1_200)


def test_every_gene_beyond_the_limit_has_the_same_chance(vocabulary, symbols):
    """400 cells of 101 genes with room for 50, 100 of them in all cells."""
    kept = []
    for cell in range(400):  # other genes beside them make another cell of it
        panel = np.array([*symbols[:100], symbols[1_000 + cell]])
        one = random_cells(panel, [101], seed=cell)
        kept.append(tokenise(one, vocabulary, 51, 50).ids)
    share = np.bincount(np.concatenate(kept), minlength=len(vocabulary))
    share = share[[vocabulary[g] for g in symbols[:100]]] / 400
    assert abs(share.mean() - 50 / 101) < 0.01
    assert np.abs(share - 50 / 101).max() < 0.12  # 4.8 standard deviations


def test_highest_keeps_the_most_expressed(vocabulary, symbols):
    cells = random_cells(symbols, [300, 80], counts=30)
    rows = GeneTokens(cells, vocabulary, 51, 103, "highest").rows(np.arange(2))
    assert rows.lengths.tolist() == [103, 80]
    ids = np.array([vocabulary[g] for g in cells.genes])
    values = cells.expression.toarray()[0]
    kept = np.isin(ids, rows.ids[:103]) & (values > 0)
    assert kept.sum() == 103
    assert values[kept].min() >= values[~kept].max()
    ties = (values == values[kept].min()) & (values > 0)
    assert 0 < (ties & kept).sum() < ties.sum()  # a tie is cut, by a draw
