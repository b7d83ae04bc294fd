"""The text path against the tokenizer and against ``SentenceTransformer.encode``."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from scmpt_core.cells import Cells
from scmpt_core.data import load
from scmpt_core.device import choose_device
from scmpt_core.encoders import load_encoder, registry
from scmpt_core.encoders.text import TextEncoder
from scmpt_core.errors import MissingComponent
from scmpt_core.progress import silent
from scmpt_core.sentences import cell_sentences
from tests.helpers import random_cells
from tests.upstream import census_vocabulary


@pytest.fixture
def demo():
    return load("demo").usable().take(np.arange(12))


@pytest.fixture(scope="module")
def genes():
    """Every symbol of scGPT's vocabulary."""
    return np.array([g for g in census_vocabulary() if not g.startswith("<")])


def own_ids(encoder, cells):
    rows = encoder.token_ids(cells)
    return [rows.ids[a:b].tolist() for a, b in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)]


def tokenizers_ids(encoder, sentences):
    limit = {"truncation": True, "max_length": encoder.max_tokens}
    return encoder.tokenizer(sentences, **limit)["input_ids"]


def test_ids_of_every_gene_are_the_tokenizers_own(genes):
    """One gene a cell: 60,694 sentences of one word."""
    encoder, n = load_encoder("minilm", choose_device()), len(genes)
    one_each = sp.csr_matrix((np.ones(n, np.float32), np.arange(n), np.arange(n + 1)), shape=(n, n))
    cells = Cells(one_each, genes, np.arange(n).astype(str))
    assert own_ids(encoder, cells) == tokenizers_ids(encoder, genes.tolist())


def test_ids_of_random_sentences_are_the_tokenizers_own(genes):
    """From no gene to far beyond the window, so that truncation falls within genes too."""
    encoder = load_encoder("minilm", choose_device())
    cells = random_cells(genes, [0, 1, 2, *range(10, 70), 200, 600])
    ours = own_ids(encoder, cells)
    assert ours == tokenizers_ids(encoder, cell_sentences(cells))
    assert sum(len(ids) == 256 for ids in ours) > 20
    assert sum(len(ids) < 256 for ids in ours) > 20


@pytest.mark.parametrize("kind", ["cls", "mean", "mean+normalise", "max"])
def test_vectors_are_those_of_sentence_transformers(kind, demo, genes, tmp_path):
    """For each pooling that a folder may ask for, with cells of very different lengths."""
    encoder = TextEncoder(registry.MINILM, with_pooling(kind, tmp_path / "m"), choose_device())
    assert encoder.packed is not None
    for cells in (demo, random_cells(genes, [0, 1, 3, 33, 70, 500])):
        expected = encoder.model.encode(cell_sentences(cells))
        np.testing.assert_allclose(encoder.encode(cells, silent), expected, atol=1e-5)


def with_pooling(kind, folder):
    """MiniLM's folder with another pooling, normalised or not."""
    shutil.copytree(registry.minilm_folder(), folder)
    modes = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}
    wanted = modes[kind.partition("+")[0]]
    config = {f"pooling_mode_{m}": m == wanted for m in [*modes.values(), "mean_sqrt_len_tokens"]}
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps(config | {"word_embedding_dimension": 384}))
    if "normalise" not in kind:
        listed = json.loads((folder / "modules.json").read_text())[:2]
        (folder / "modules.json").write_text(json.dumps(listed))
    return folder


@pytest.mark.parametrize("name", ["minilm", "ember-shape"])
def test_bfloat16_stays_close(name, demo, genes, ember_shape, monkeypatch):
    """The fast mode against ``SentenceTransformer.encode`` in float32."""
    monkeypatch.setenv("SCMPT_DTYPE", "bfloat16")
    if name == "minilm":
        encoder, cells = load_encoder(name, choose_device()), demo
    else:
        encoder = TextEncoder(registry.EMBER, ember_shape, choose_device())
        cells = random_cells(genes, [5, 40])
    fast, full = encoder.encode(cells, silent), encoder.model.encode(cell_sentences(cells))
    norms = np.linalg.norm(fast, axis=1) * np.linalg.norm(full, axis=1)
    assert ((full * fast).sum(axis=1) / norms).min() >= 0.999


def test_embers_shape_in_float32(genes, ember_shape):
    encoder = TextEncoder(registry.EMBER, ember_shape, choose_device())
    assert encoder.max_tokens == 512
    assert encoder.packed is not None
    cells = random_cells(genes, [0, 60, 400])
    expected = encoder.model.encode(cell_sentences(cells))
    assert expected.shape == (3, 1024)
    np.testing.assert_allclose(encoder.encode(cells, silent), expected, atol=1e-5)
    assert encoder.token_ids(cells).lengths.tolist()[::2] == [2, 512]


@pytest.fixture(scope="module")
def ember_shape(tmp_path_factory):
    """A BERT-large of random weights as a sentence-transformers folder: CLS pooling, 512 tokens."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("ember")
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096
    )
    bert, bare = folder / "bert", folder / "whole"
    BertModel(config, add_pooling_layer=False).save_pretrained(bert)
    for file in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copy(registry.minilm_folder() / file, bert / file)
    transformer = Transformer(str(bert), max_seq_length=512)
    SentenceTransformer(modules=[transformer, Pooling(1024, "cls")]).save(str(bare))
    return bare


def test_another_architecture_takes_the_padded_way(demo, monkeypatch):
    """What is not a plain BERT goes through sentence-transformers' own modules."""
    monkeypatch.setattr("scmpt_core.encoders.text.packs", lambda model: False)
    encoder = load_encoder("minilm", choose_device())
    assert encoder.packed is None
    expected = encoder.model.encode(cell_sentences(demo))
    np.testing.assert_allclose(encoder.encode(demo, silent), expected, atol=1e-5)


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
