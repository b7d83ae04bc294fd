"""The store: nothing twice, a kill costs a chunk, the key is content and encoder."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scmpt_core.embeddings import EmbeddingStore
from tests.conftest import toy
from tests.helpers import CountingEncoder, cells_of


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path / "store")


def test_the_second_time_nothing_is_encoded(store):
    cells, encoder = cells_of(toy()), CountingEncoder()
    first = store.get(encoder, cells)
    second = store.get(encoder, cells)
    assert encoder.encoded == 120
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, cells.expression.toarray())


def test_a_killed_run_continues_at_its_chunk(store):
    cells = cells_of(toy())
    with pytest.raises(KeyboardInterrupt):
        store.get(CountingEncoder(die_after=100), cells)
    folder = next(store.root.iterdir())
    assert not (folder / "manifest.json").exists()
    encoder = CountingEncoder()
    np.testing.assert_array_equal(store.get(encoder, cells), cells.expression.toarray())
    assert encoder.encoded == 20
    assert json.loads((folder / "manifest.json").read_text())["chunks"] == [
        [0, 50],
        [50, 100],
        [100, 120],
    ]


def test_a_half_written_chunk_is_not_read(store):
    cells = cells_of(toy())
    with pytest.raises(KeyboardInterrupt):
        store.get(CountingEncoder(die_after=50), cells)
    folder = next(store.root.iterdir())
    (folder / "abc.tmp").write_bytes(b"half")
    np.testing.assert_array_equal(store.get(CountingEncoder(), cells), cells.expression.toarray())


def test_key_is_content_and_encoder_not_ids(store):
    cells, encoder = cells_of(toy()), CountingEncoder()
    other = cells_of(toy(seed=1))
    renamed = toy()
    renamed.obs_names = [f"x{i}" for i in range(120)]
    assert store.key(encoder, cells) == store.key(encoder, cells_of(renamed))
    assert store.key(encoder, cells) != store.key(encoder, other)
    assert store.key(encoder, cells) != store.key(CountingEncoder(dimension=31), cells)


def test_a_lost_chunk_is_encoded_again(store):
    cells, encoder = cells_of(toy()), CountingEncoder()
    store.get(encoder, cells)
    next(store.root.rglob("00000050-00000100.npy")).unlink()
    np.testing.assert_array_equal(store.get(encoder, cells), cells.expression.toarray())
    assert encoder.encoded == 170


def test_another_chunk_size_finds_what_is_whole_and_replaces_what_is_not(store):
    cells, encoder = cells_of(toy()), CountingEncoder()
    store.get(encoder, cells)
    encoder.chunk = 70
    store.get(encoder, cells)
    assert encoder.encoded == 120  # nothing was encoded anew for want of its own chunks
    next(store.root.rglob("00000050-00000100.npy")).unlink()
    np.testing.assert_array_equal(store.get(encoder, cells), cells.expression.toarray())
    manifest = json.loads(next(store.root.rglob("manifest.json")).read_text())
    assert manifest["chunks"] == [[0, 70], [70, 120]]


def test_a_truncated_chunk_is_encoded_again(store):
    cells, encoder = cells_of(toy()), CountingEncoder()
    store.get(encoder, cells)
    file = next(store.root.rglob("00000050-00000100.npy"))
    file.write_bytes(file.read_bytes()[:500])
    np.testing.assert_array_equal(store.get(encoder, cells), cells.expression.toarray())
    assert encoder.encoded == 170


def test_the_rate_is_told_without_the_first_chunk(tmp_path):
    told, cells = [], cells_of(toy(200))
    store = EmbeddingStore(tmp_path, lambda name, rate: told.append((name, rate)))
    store.get(CountingEncoder(), cells.take(np.arange(50)))
    assert told == []
    store.get(CountingEncoder(), cells)
    assert [name for name, _ in told] == ["counting"]
    assert told[0][1] > 0
