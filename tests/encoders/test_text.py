"""The text path against the tokenizer and against ``SentenceTransformer.encode``."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from scmpt_core.cells import Cells
from scmpt_core.data import load
from scmpt_core.device import choose_device
from scmpt_core.encoders import EncoderOptions, load_encoder, registry
from scmpt_core.encoders.text import TextEncoder
from scmpt_core.errors import MissingComponent
from scmpt_core.progress import silent
from scmpt_core.seeds import cell_seeds
from scmpt_core.sentences import FORMATS, cell_sentences
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


every = pytest.mark.parametrize("name", [f.name for f in FORMATS])


@pytest.fixture
def reading(genes, tmp_path, monkeypatch):
    """MiniLM in a format, fitted to half of the cells where it is of that kind."""
    path, genes = tmp_path / "genes.tsv", genes[::20]
    lines = [f"{gene}\tgene no. {i}, made-up" for i, gene in enumerate(genes[::2])]
    path.write_text("\n".join(["symbol\tdescription", *lines]))
    monkeypatch.setenv("SCMPT_GENE_DESCRIPTIONS", str(path))
    cells = random_cells(genes, [0, 1, 2, *range(5, 70, 5), 90, 200, 250, 400], counts=300)

    def read(name):
        options = EncoderOptions(sentence=name, prefix="human blood:" if name == "prefix" else "")
        return load_encoder("minilm", choose_device(), options).fit(
            cells.take(np.arange(10))
        ), cells

    return read


@every
def test_ids_of_every_format_are_the_tokenizers_own(name, reading):
    """Truncation falls within genes, descriptions and between levels."""
    encoder, cells = reading(name)
    ours = own_ids(encoder, cells)
    assert ours == tokenizers_ids(encoder, cell_sentences(cells, encoder.sentence))
    assert sum(len(ids) == 256 for ids in ours) >= 2


@every
def test_each_token_belongs_to_its_gene_in_every_format(name, reading):
    """Tokens of a gene, read one after the other, are those of its spelling, cut at the end."""
    encoder, cells = reading(name)
    rows, owners = encoder.token_ids(cells), encoder.token_genes(cells)
    spelled = encoder.sentence.spell(cells.genes)
    for cell in range(len(cells)):
        at = slice(rows.indptr[cell] + 1, rows.indptr[cell + 1] - 1)
        ids, mine = rows.ids[at], owners[at]
        assert owners[at.start - 1] == owners[at.stop] == -1
        read = list(dict.fromkeys(mine[mine >= 0].tolist()))
        for gene in read:
            whole = encoder.tokenizer(spelled[gene], add_special_tokens=False)["input_ids"]
            found = ids[mine == gene].tolist()
            assert found == whole[: len(found)]
            assert found == whole or gene == read[-1]
        own = ids[mine < 0].tolist()
        literals = " ".join(encoder.sentence.literals)
        assert own == encoder.tokenizer(literals, add_special_tokens=False)["input_ids"][: len(own)]
    window = encoder.window(cells)
    assert window.shape == cells.genes.shape
    assert window.sum() == pytest.approx(1)
    assert set(np.flatnonzero(window)) <= set(owners[owners >= 0])


@every
def test_only_genes_that_decide_change_what_is_read(name, reading):
    """Of genes behind the window they are some of a level that goes on there, or none."""
    encoder, cells = reading(name)
    behind = 0
    for row in (-4, -3, -2, -1):
        cell = cells.take(np.array([row]))
        expressed = cell.expression.indices
        deciding, read = encoder.deciding_genes(cell), encoder.token_genes(cell)
        assert set(read[read >= 0]) <= set(deciding.tolist())
        ids = own_ids(encoder, cell)[0]
        less = own_ids(encoder, each_without_one(cell))
        changed = expressed[[other != ids for other in less]]
        assert set(changed) <= set(deciding)
        assert np.isin(read[read >= 0][:-9], changed).all()
        behind += len(np.setdiff1d(changed, read))
    assert (behind > 0) == (name == "levels")


def each_without_one(cell):
    """The cell less each of its genes in turn, ties as in the whole."""
    x, n = cell.expression, cell.expression.nnz
    rows = np.ones((n, n), bool) ^ np.eye(n, dtype=bool)
    kept = np.nonzero(rows)[1]
    matrix = sp.csr_matrix(
        (x.data[kept], x.indices[kept], np.arange(n + 1) * (n - 1)), shape=(n, x.shape[1])
    )
    seeds = np.repeat(cell_seeds(cell), n)
    return replace(cell, expression=matrix, ids=np.arange(n).astype(str), tie_seeds=seeds)


def test_formats_keep_their_vectors_apart_and_plain_keeps_its_name(reading):
    identities = {f.name: reading(f.name)[0].identity() for f in FORMATS}
    assert identities["plain"]["sentence"] == "plain"
    assert identities["plain"] == load_encoder("minilm", choose_device()).identity()
    texts = {json.dumps(identity, sort_keys=True) for identity in identities.values()}
    assert len(texts) == len(FORMATS)


def test_a_copy_is_fitted_apart_and_shares_the_network(reading):
    encoder, cells = reading("specific")
    assert encoder.info.fitted
    assert not load_encoder("minilm", choose_device()).info.fitted
    before = encoder.identity()
    other = copy.copy(encoder).fit(cells)
    assert other.model is encoder.model
    assert other.packed is encoder.packed
    assert encoder.identity() == before != other.identity()
    back = copy.copy(encoder).restore(cells.genes, other.state())
    assert back.identity() == other.identity()
    np.testing.assert_array_equal(back.encode(cells, silent), other.encode(cells, silent))
    expected = encoder.model.encode(cell_sentences(cells, other.sentence))
    np.testing.assert_allclose(other.encode(cells, silent), expected, atol=1e-5)
