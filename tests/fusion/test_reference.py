"""The models that ship: complete, small, true to their cards, and right on cells they can name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.data import label_values, load
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.fusion import REFERENCES, open_model, reference_folder
from scmpt_core.ontology import find_term, name_of
from scripts.reference_data import ISLETS, PBMC, TISSUES, Source, read_study

MOST = 10e6  # bytes, both together
NAMES = [r.name for r in REFERENCES]
each = pytest.mark.parametrize("name", NAMES)


def card_of(name: str) -> dict:
    return json.loads((reference_folder(name) / "card.json").read_text("utf-8"))


@each
def test_it_loads_strictly_and_names_terms_of_the_ontology(name):
    model = open_model(name, choose_device())
    tissue = next(t for t in TISSUES if t.name == name)
    assert model.classes == tuple(c for c in tissue.classes if c in model.classes)
    assert model.record["ontology"] == {c: tissue.classes[c] for c in model.classes}
    for label, term in model.record["ontology"].items():
        assert name_of(term)
        assert find_term(label).id == term  # what the label says by its words
    assert set(model.record["overlap_limit"]) == set(model.encoders)
    assert all(0 < limit <= 1 for limit in model.record["overlap_limit"].values())


@each
def test_no_cell_of_the_training_is_named_in_it(name):
    folder = reference_folder(name)
    assert not any(json.loads((folder / "splits.json").read_text()).values())
    assert not open_model(name, choose_device()).splits


def test_they_are_small():
    files = [f for name in NAMES for f in reference_folder(name).iterdir()]
    assert sum(f.stat().st_size for f in files) < MOST


@each
def test_the_card_holds_the_figures(name):
    card, text = card_of(name), (reference_folder(name) / "README.md").read_text("utf-8")
    tissue = next(t for t in TISSUES if t.name == name)
    every = tuple(s.name for s in tissue.sources)
    planned = [*tissue.tests, *((every, extra.name) for extra in tissue.extra)]
    assert [(tuple(t["train"]), t["test"]) for t in card["tests"]] == planned
    for test in card["tests"]:
        types = test["per_type"].values()
        assert test["macro_f1"] == pytest.approx(np.mean([t["f1"] for t in types]))
        assert test["n"] == sum(t["n"] for t in types)
        right = sum(t["recall"] * t["n"] for t in types)
        assert test["accuracy"] == pytest.approx(right / test["n"])
        assert test["interval"][0] <= test["macro_f1"] <= test["interval"][1]
        assert test["unknown"] == pytest.approx(sum(test["reasons"].values()))
        assert f"{' + '.join(test['train'])} → {test['test']}" in text
        assert f"{test['macro_f1']:.3f}" in text
    config = fusion.read_config(reference_folder(name))
    assert config["overlap_limit"] == card["record"]["overlap_limit"]
    assert all(term in text for term in config["ontology"].values())


@each
def test_across_studies_it_is_better_than_chance_by_far(name):
    for test in card_of(name)["tests"]:
        assert test["macro_f1"] > 2 / len(test["per_type"])


def forced(name: str, source: Source, folder: Path, store: Path) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true labels of the types that the model knows, whatever the overlap."""
    model = open_model(name, choose_device())
    free = replace(model, record=model.record | {"overlap_limit": dict.fromkeys(model.encoders, 0)})
    study = read_study(source, folder)
    rows = np.random.default_rng(0).permutation(len(study))[:60]
    study = study.take(rows)
    proba = free.predict(study.cells, EmbeddingStore(store), choose_device()).proba
    known = np.isin(study.labels, model.classes)
    return np.array(model.classes)[proba.argmax(axis=1)][known], study.labels[known]


def test_blood_cells_of_the_demo_get_their_type(tmp_path):
    predicted, truth = forced("pbmc", PBMC.extra[0], tmp_path, tmp_path / "store")
    clear = np.isin(truth, ["T cell", "B cell", "NK cell"])
    assert (predicted == truth)[clear].mean() > 0.85  # chance is 1 in 8
    # nearly all of these express FCGR3A, which is CD16: the labels, given by correlation, are wrong
    assert (predicted[truth == "CD14+ monocyte"] == "CD16+ monocyte").mean() > 0.85


@pytest.mark.parametrize("source", ISLETS.sources, ids=lambda s: s.name)
def test_islet_cells_get_their_type(source, real, tmp_path):
    folder = real(source.file).parent
    predicted, truth = forced("islets", source, folder, tmp_path / "store")
    assert (predicted == truth).mean() > 0.9  # trained on these: what was saved is what was fitted


@pytest.mark.parametrize("tissue", TISSUES, ids=lambda t: t.name)
def test_the_labels_of_the_studies_are_all_known(tissue, real):
    for source in (*tissue.sources, *tissue.extra):
        file = "demo" if source.file == "demo" else real(source.file)
        theirs = label_values(load(file).obs, source.column)
        assert set(theirs[theirs != ""]) <= set(source.labels)


def test_other_names_are_refused(monkeypatch, tmp_path):
    with pytest.raises(SettingError, match="pbmc"):
        reference_folder("liver")
    monkeypatch.setattr("scmpt_core.fusion.reference.FOLDER", tmp_path)
    with pytest.raises(MissingComponent, match="train_reference_models"):
        reference_folder("pbmc")
