"""The same cell gets the same vector: alone, in another batch, order, chunk or budget."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch

from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import EncoderOptions, batching, load_encoder
from scmpt_core.progress import silent
from scmpt_core.sentences import cell_sentences
from tests.helpers import random_cells

FLOAT32 = Device("cpu", torch.float32, "for the test")
WAYS = [("minilm", "random"), ("scgpt-mini", "random"), ("scgpt-mini", "highest")]


@lru_cache
def encoder_of(name, long_cells):
    return load_encoder(name, FLOAT32, EncoderOptions(long_cells))


@pytest.fixture
def cells():
    """Ties everywhere, and two cells beyond the limits of both encoders."""
    from scmpt_core.encoders import get_spec

    symbols = np.array(sorted(g for g in get_spec("scgpt-mini").vocabulary() if g[0] != "<"))
    return random_cells(symbols, [7, 300, 0, 2_600, 31, 90, 3_000, 1, 64], counts=3)


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_batch_order_chunk_and_budget(way, cells, tmp_path, monkeypatch):
    encoder = encoder_of(*way)
    whole = encoder.encode(cells, silent)
    for cell in range(len(cells)):
        alone = encoder.encode(cells.take(np.array([cell])), silent)[0]
        np.testing.assert_allclose(alone, whole[cell], atol=1e-5)
    order = np.random.default_rng(0).permutation(len(cells))
    np.testing.assert_allclose(encoder.encode(cells.take(order), silent), whole[order], atol=1e-5)
    monkeypatch.setattr(encoder, "chunk", 2)
    np.testing.assert_allclose(EmbeddingStore(tmp_path).get(encoder, cells), whole, atol=1e-5)
    monkeypatch.setattr(encoder, "budget", batching.Budget(50))
    np.testing.assert_allclose(encoder.encode(cells, silent), whole, atol=1e-5)


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_order_of_columns_and_genes_that_nobody_expresses(way, cells):
    encoder, whole = encoder_of(*way), None
    for columns in (slice(None), slice(None, None, -1)):
        turned = type(cells)(cells.expression[:, columns].tocsr(), cells.genes[columns], cells.ids)
        turned.expression.sort_indices()
        vectors = encoder.encode(turned, silent)
        whole = vectors if whole is None else whole
    np.testing.assert_allclose(vectors, whole, atol=1e-5)
    expressed = cells.restrict(set(cells.genes[np.unique(cells.expression.indices)]))
    np.testing.assert_allclose(encoder.encode(expressed, silent), whole, atol=1e-5)


def test_the_choice_matters_for_long_cells_only(cells):
    random, highest = (encoder_of("scgpt-mini", way).encode(cells, silent) for way in
                       ("random", "highest"))  # fmt: skip
    room = encoder_of("scgpt-mini", "random").model.config.max_length - 1
    long = np.diff(cells.expression.indptr) > room
    assert 0 < long.sum() < len(cells)
    np.testing.assert_array_equal(random[~long], highest[~long])
    assert np.abs(random[long] - highest[long]).max(axis=1).min() > 1e-3


def test_sentences_do_not_depend_on_the_other_cells(cells):
    sentences = cell_sentences(cells)
    assert cell_sentences(cells.take(np.array([3]))) == [sentences[3]]
    assert len(set(sentences)) == len(cells)


def test_budgets_are_kept():
    lengths = np.array([5, 60, 7, 7, 200, 1])
    order, seen = np.argsort(-lengths, kind="stable"), []
    while len(order):
        which = batching.next_batch(order, lengths, 64)
        assert lengths[which].sum() <= 64 or len(which) == 1
        seen, order = [*seen, *which], order[len(which) :]
    assert sorted(seen) == list(range(6))
