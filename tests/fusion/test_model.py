"""From planted types to a saved model and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.torch import load_file

from scmpt_core import fusion
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError, FileRefused, ModelError
from scmpt_core.fusion.overlap import check_overlap, limits_of, overlaps
from scmpt_core.fusion.search import QUICK
from tests.conftest import toy
from tests.helpers import cells_of, dataset_of


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path / "store")


@pytest.fixture
def model(store):
    task = fusion.make_task(dataset_of(toy()), "cell_type")
    spec = fusion.recommended(("scgpt-mini", "pca"))
    return fusion.train_model(task, spec, QUICK, 0, store, choose_device(), "toy")


def test_model_learns_and_says_how_well(model):
    assert model.name == "scmpt"
    assert model.record["test"]["accuracy"] > 0.7  # chance is 0.33
    assert sum(len(ids) for ids in model.splits.values()) == 120


def test_saved_model_predicts_the_same_numbers(model, store, tmp_path):
    device, cells = choose_device(), cells_of(toy(seed=5))
    fusion.save(model, tmp_path / "m")
    loaded = fusion.load(tmp_path / "m", device)
    first = model.predict(cells, store, device)
    second = loaded.predict(cells, EmbeddingStore(tmp_path / "fresh"), device)
    np.testing.assert_array_equal(first.proba, second.proba)
    assert (loaded.classes, loaded.splits) == (model.classes, model.splits)
    assert first.overlap == pytest.approx(second.overlap)
    np.testing.assert_array_equal(first.far, second.far)
    np.testing.assert_array_equal(first.sets(0.8), second.sets(0.8))
    assert set(first.members) == {"scgpt-mini", "pca"}
    assert {n: c.tolist() for n, c in first.members.items()} == {
        n: c.tolist() for n, c in second.members.items()
    }
    truth = toy(seed=5).obs["cell_type"].to_numpy()
    guesses = np.array(model.classes)[first.proba.argmax(axis=1)]
    assert (guesses == truth).mean() > 0.7  # chance is 0.33


def test_empty_cells_are_unknown(model, store):
    adata = toy(seed=5)
    matrix = adata.X.tolil()
    matrix[0] = 0
    adata.X = matrix.tocsr()
    prediction = model.predict(cells_of(adata), store, choose_device())
    decision = prediction.decide(fusion.Rule())
    assert (decision.labels[0], decision.reasons[0]) == (fusion.UNKNOWN, fusion.NO_GENE)
    assert not prediction.sets(0.9)[0].any()
    assert np.isnan(prediction.probability[0])
    assert np.isfinite(prediction.probability[1:]).all()


def test_extra_genes_change_nothing(model, store):
    cells = cells_of(toy(seed=5))
    extra = sp.csr_matrix(np.full((len(cells), 1), 9, np.float32))  # the highest value of all
    wide = replace(
        cells,
        expression=sp.hstack([extra, cells.expression], format="csr"),
        genes=np.array(["HBB", *cells.genes]),
    )
    first = model.predict(cells, store, choose_device())
    second = model.predict(wide, store, choose_device())
    np.testing.assert_allclose(first.proba, second.proba, atol=1e-6)


def test_too_few_shared_genes_are_refused(model, store):
    cells = cells_of(toy(seed=5)).restrict({"LYZ", "CD14", "ACTB"})
    with pytest.raises(ModelError, match="at least"):
        model.predict(cells, store, choose_device())


def test_overlap_is_weighted():
    genes = np.array(["A", "B", "C"])
    windows = {"x": np.array([0.7, 0.2, 0.1])}
    assert overlaps(windows, genes, np.array(["A", "Z"])) == {"x": pytest.approx(0.7)}
    with pytest.raises(ModelError, match=r"70\.0%"):
        check_overlap({"x": 0.7, "y": 1.0}, limits_of({}))
    check_overlap({"x": 0.7, "y": 1.0}, limits_of({"overlap_limit": {"x": 0.6}}))


def test_a_panel_that_one_of_several_studies_measured_is_covered():
    windows = {"x": np.array([[0.7, 0.2, 0.1], [0.0, 0.4, 0.6]]), "y": np.array([0.2, 0.3, 0.5])}
    found = overlaps(windows, np.array(["A", "B", "C"]), np.array(["B", "C", "Z"]))
    assert found == {"x": pytest.approx(1.0), "y": pytest.approx(0.8)}


@pytest.mark.parametrize("damage", ["missing", "truncated", "json", "format", "encoder", "tensor"])
def test_a_damaged_folder_is_refused(model, tmp_path, damage):
    folder = tmp_path / "m"
    fusion.save(model, folder)
    config = json.loads((folder / "config.json").read_text())
    if damage == "missing":
        (folder / "splits.json").unlink()
    elif damage == "truncated":
        data = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(data[:1000])
    elif damage == "json":
        (folder / "genes.json").write_text("{")
    elif damage == "format":
        config["format"] = 99
    elif damage == "encoder":
        config["encoders"][0]["weights_sha256"] = "0" * 64
    else:
        tensors = load_file(folder / "model.safetensors")
        assert "head.members.0.output.weight" in tensors
        config["classes"] = config["classes"][:2]
    if damage in ("format", "encoder", "tensor"):
        (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError):
        fusion.load(folder, choose_device())


def test_other_files_are_not_overwritten(model, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").touch()
    with pytest.raises(FileRefused, match="other files"):
        fusion.save(model, tmp_path / "mine")


def test_task_leaves_out_and_says_so():
    adata = toy()
    labels = adata.obs["cell_type"].astype(object).to_numpy()
    labels[:4], labels[4:7] = "", "rare"
    adata.obs["cell_type"] = labels
    task = fusion.make_task(dataset_of(adata), "cell_type")
    assert task.classes == ("B", "Mono", "T")
    assert (task.codes[:7] == -1).all()
    assert {f.code for f in task.findings} >= {"missing_labels", "small_classes"}
    with pytest.raises(DataError, match="no column"):
        fusion.make_task(dataset_of(adata), "nope")
