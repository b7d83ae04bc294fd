"""Models and files whose text encoder reads another sentence than the plain one."""

from __future__ import annotations

import json

import anndata as ad
import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from scmpt_core import fusion, verbs
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import EncoderOptions
from scmpt_core.errors import ModelError, SettingError
from scmpt_core.fusion.search import QUICK
from scmpt_core.progress import silent
from scmpt_core.sentences import get_format
from tests.conftest import toy
from tests.helpers import cells_of, dataset_of

CHOICES = {
    "specific": EncoderOptions(sentence="specific"),
    "levels": EncoderOptions("highest", sentence="levels"),
    "prefix": EncoderOptions(sentence="prefix", prefix="human blood:"),
}


def train(options, store):
    task = fusion.make_task(dataset_of(toy()), "cell_type")
    spec = fusion.ModelSpec(("minilm", "pca"), "linear")
    device = choose_device()
    return task, fusion.train_model(task, spec, QUICK, 0, store, device, "toy", options=options)


@pytest.mark.parametrize("name", CHOICES)
def test_a_loaded_model_reads_as_it_was_trained(name, tmp_path):
    store, device = EmbeddingStore(tmp_path / "store"), choose_device()
    cells = cells_of(toy(seed=5))
    _, model = train(CHOICES[name], store)
    fusion.save(model, tmp_path / "m")
    back = fusion.load(tmp_path / "m", device)
    assert back.encoders["minilm"].identity() == model.encoders["minilm"].identity()
    assert back.encoders["minilm"].identity()["sentence"]["format"] == name
    first = model.predict(cells, store, device)
    second = back.predict(cells, EmbeddingStore(tmp_path / "fresh"), device)
    np.testing.assert_array_equal(first.proba, second.proba)
    tensors = load_file(tmp_path / "m" / "model.safetensors")
    stored = {k for k in tensors if k.startswith("minilm.")}
    assert stored == ({"minilm.weights", "minilm.neutral"} if name == "specific" else set())


def test_sentences_are_fitted_to_the_training_cells_only(tmp_path):
    task, model = train(CHOICES["specific"], EmbeddingStore(tmp_path / "store"))
    training = task.cells.take(model.own(task.cells, "train"))
    expected = get_format("specific").make("").fit(training)
    found = model.encoders["minilm"].sentence
    np.testing.assert_array_equal(found.weights, expected.weights)
    assert found.identity() == expected.identity()
    assert found.identity() != get_format("specific").make("").fit(task.cells).identity()


def test_a_damaged_fit_is_refused(tmp_path):
    _, model = train(CHOICES["specific"], EmbeddingStore(tmp_path / "store"))
    fusion.save(model, tmp_path / "m")
    file = tmp_path / "m" / "model.safetensors"
    whole = load_file(file)
    weights = whole["minilm.weights"]
    for changed, said in (
        ({k: v for k, v in whole.items() if k != "minilm.neutral"}, "damaged: 'neutral'"),
        (whole | {"minilm.weights": weights + 1}, "differs from the one trained with: sentence"),
        (whole | {"minilm.weights": -weights}, "above 0"),
        (whole | {"minilm.weights": weights[1:].clone()}, "damaged"),
    ):
        save_file(changed, file)
        with pytest.raises(ModelError, match=said):
            fusion.load(tmp_path / "m", choose_device())


def test_embed_says_what_was_fitted_and_in_pieces_refuses_it(tmp_path):
    out, store, device = tmp_path / "out.h5ad", EmbeddingStore(tmp_path / "s"), choose_device()
    options = CHOICES["specific"]
    result = verbs.embed_file(
        dataset_of(toy(10)), ["minilm"], out, store, device, silent, options=options
    )
    assert result["notes"] == ["minilm was fitted on all 30 cells (sentences: specific)"]
    described = ad.read_h5ad(out).uns["scmpt"]["encoders"]["minilm"]["sentence"]
    assert described["format"] == "specific"
    toy(10).write_h5ad(tmp_path / "in.h5ad")
    with pytest.raises(SettingError, match=r"minilm is fitted .*\(sentences: specific\)"):
        verbs.embed_backed(
            tmp_path / "in.h5ad", ["minilm"], tmp_path / "b.h5ad", store, device, silent,
            options=options,
        )  # fmt: skip
    assert not (tmp_path / "b.h5ad").exists()


def test_formats_do_not_share_stored_vectors(tmp_path):
    store, cells = EmbeddingStore(tmp_path / "store"), cells_of(toy(4))
    vectors = {}
    for name, options in {"plain": EncoderOptions(), **CHOICES}.items():
        encoders = fusion.load_encoders(["minilm"], choose_device(), options)
        fitted = fusion.fit_encoders(encoders, cells, np.arange(len(cells)))
        vectors[name] = fusion.embed(fitted, cells, store)["minilm"]
    manifests = [json.loads(f.read_text()) for f in (tmp_path / "store").glob("*/manifest.json")]
    assert len(manifests) == len(vectors) == 4
    for name, x in vectors.items():
        others = [y for other, y in vectors.items() if other != name]
        assert all(np.abs(x - y).max() > 1e-3 for y in others)
