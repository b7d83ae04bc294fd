"""The text path against the tokenizer and against ``SentenceTransformer.encode``."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core.data import load
from scmpt_core.device import choose_device
from scmpt_core.encoders import load_encoder, registry
from scmpt_core.errors import MissingComponent
from scmpt_core.progress import silent
from scmpt_core.sentences import cell_sentences


@pytest.fixture
def demo():
    return load("demo").usable().take(np.arange(12))


def test_ids_are_the_tokenizers_own(demo):
    encoder = load_encoder("minilm", choose_device())
    ids, lengths = encoder.token_ids(demo)
    whole = encoder.tokenizer(cell_sentences(demo), truncation=True, max_length=256)["input_ids"]
    assert [ids[i, :n].tolist() for i, n in enumerate(lengths)] == whole


def test_vectors_are_those_of_sentence_transformers(demo):
    encoder = load_encoder("minilm", choose_device())
    expected = encoder.model.encode(cell_sentences(demo))
    np.testing.assert_allclose(encoder.encode(demo, silent), expected, atol=1e-5)


def test_bfloat16_stays_close(demo, monkeypatch):
    full = load_encoder("minilm", choose_device()).encode(demo, silent)
    monkeypatch.setenv("SCMPT_DTYPE", "bfloat16")
    fast = load_encoder("minilm", choose_device()).encode(demo, silent)
    cosine = (full * fast).sum(axis=1) / np.linalg.norm(fast, axis=1)
    assert cosine.min() > 0.999


def test_weights_with_another_hash_are_refused(monkeypatch):
    monkeypatch.setattr(registry, "MINILM_SHA256", "0" * 64)
    with pytest.raises(MissingComponent, match="SHA-256"):
        load_encoder("minilm", choose_device())


def test_a_given_folder_serves_as_ember(monkeypatch, demo):
    """The way of a given folder, with MiniLM's files standing in for Ember's."""
    monkeypatch.setenv("SCMPT_EMBER_FOLDER", str(registry.minilm_folder()))
    assert registry.get_spec("ember-v1").status().ready
    encoder = registry.TextEncoder(registry.MINILM, registry.ember_folder(), choose_device())
    assert encoder.encode(demo, silent).shape == (12, 384)
