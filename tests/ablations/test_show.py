"""The sentence before and after: against the tokenizer, and against what the runner perturbed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.ablations import Known, Request, ablate, get_ablation
from scmpt_core.ablations import request as requests
from scmpt_core.ablations.show import perturbed_cell, sentences
from scmpt_core.data import load
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import EncoderOptions, load_encoder
from scmpt_core.fusion.search import QUICK
from scmpt_core.housekeeping import is_housekeeping
from tests.conftest import TYPES, toy
from tests.helpers import cells_of, dataset_of


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("minilm", choose_device())


@pytest.fixture(scope="module")
def cell():
    """A demo cell with more genes than the window holds."""
    cells = load("demo").usable()
    return cells.take(np.array([np.diff(cells.expression.indptr).argmax()]))


def perturbed(cell, name, strength=0.0, window=None):
    context = type("Context", (), {"modality": "text", "window": window})
    return get_ablation(name).perturb(cell, context, strength, 0)


@pytest.mark.parametrize("sentence", ["plain", "levels"])
def test_the_words_are_those_that_the_tokenizer_keeps(cell, sentence):
    reader = load_encoder("minilm", choose_device(), EncoderOptions(sentence=sentence))
    words = sentences(reader, cell, perturbed(cell, "no-housekeeping")).before
    ids = reader.tokenizer(
        " ".join(w.text for w in words), truncation=True, max_length=reader.max_tokens
    )["input_ids"]
    assert ids == reader.token_ids(cell).ids.tolist()
    but_last = reader.tokenizer(" ".join(w.text for w in words[:-1]))["input_ids"]
    assert len(but_last) < len(ids)  # so the last word is read too
    assert any(w.change == "format" for w in words) == (sentence == "levels")


def test_genes_taken_out_make_room_and_move_nothing(encoder, cell):
    found = sentences(encoder, cell, perturbed(cell, "no-housekeeping"))
    assert found.count("moved") == found.count("renamed") == 0
    lost = [w.gene for w in found.before if w.change == "lost"]
    assert lost == [w.gene for w in found.before if is_housekeeping(np.array([w.gene]))[0]]
    assert len(lost) > 0
    assert found.after[-1].change == "new"
    kept = [w for w in found.after if w.change == "same"]
    assert [found.before[w.was - 1].gene for w in kept] == [w.gene for w in kept]


def test_reversed_within_the_window_the_same_genes_move(encoder, cell):
    window = np.array([20])
    found = sentences(encoder, cell, perturbed(cell, "reverse-within", window=window))
    first, now = ([w.gene for w in side] for side in (found.before, found.after))
    assert now[:20] == first[:20][::-1]
    assert [w.was for w in found.after[:20]] == list(range(20, 0, -1))
    assert found.count("moved") == 20
    assert {w.change for w in found.after[20:]} == {"same"}


def test_new_names_are_told_from_new_places(encoder, cell):
    found = sentences(encoder, cell, perturbed(cell, "hash", 1.0))
    assert {w.change for w in found.after} == {"renamed"}
    assert all(len(w.text) == 8 and w.gene != w.text for w in found.after)
    assert [w.gene for w in found.after] == [w.gene for w in found.before[: len(found.after)]]
    lower = sentences(encoder, cell, perturbed(cell, "lower-case", 1.0))
    assert [w.text for w in lower.after] == [w.text.lower() for w in lower.before]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of toy cells and the store it was made with."""
    store = EmbeddingStore(tmp_path_factory.mktemp("store"))
    task = fusion.make_task(dataset_of(toy(10, seed=1)), "cell_type")
    spec = fusion.recommended(("minilm", "scgpt-mini"))
    return fusion.train_model(task, spec, QUICK, 0, store, choose_device(), "toy"), store


NAMES = ("shuffle-within", "swap-genes", "only-markers", "dropout", "no-gene-set", "window")


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("seen", [True, False], ids=["training file", "other file"])
def test_one_cell_is_perturbed_as_in_the_run(trained, monkeypatch, known, seen):
    model, store = trained
    adata = toy(10, seed=1 if seen else 2)
    if not seen:
        adata.obs_names = [f"other{i}" for i in range(adata.n_obs)]
    cells = cells_of(adata).restrict(set(model.genes))
    labels = adata.obs["cell_type"].to_numpy(str) if known else None
    markers = tuple(frozenset(TYPES[name]) for name in model.classes)
    request = Request(NAMES, seeds=2, gene_set=frozenset({"LYZ", "FTL"}), cells=25)
    found = {}

    def spied(info):
        def perturb(cells, context, strength, seed):
            key = info.name, context.modality, strength, seed
            found[key] = info.perturb(cells, context, strength, seed)
            return found[key]

        return replace(info, perturb=perturb)

    monkeypatch.setattr(requests, "ABLATIONS", [spied(get_ablation(name)) for name in NAMES])
    result = ablate(
        model, cells, Known(labels, markers=markers), request, store, choose_device(), "toy"
    )
    for setting in result.rows:
        for name, encoder in model.encoders.items():
            if encoder.info.modality not in get_ablation(setting.ablation).acts_on:
                continue
            for row in (0, len(result.ids) - 1):
                _, mine = perturbed_cell(model, cells, result, setting, name, row, markers)
                key = setting.ablation, encoder.info.modality, setting.strength or 0.0, setting.seed
                theirs = found[key].take(np.flatnonzero(found[key].ids == result.ids[row]))
                assert mine.fingerprint == theirs.fingerprint, (setting, name)
