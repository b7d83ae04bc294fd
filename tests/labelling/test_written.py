"""From a trained model to a file and a script that repeats it, on toy cells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from scmpt_core import fusion, verbs
from scmpt_core.data import load
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError
from scmpt_core.fusion import FAR, UNKNOWN, Rule
from scmpt_core.fusion.search import QUICK
from scmpt_core.labelling import (
    BY_HAND,
    COLUMNS,
    Clustering,
    cluster_sizes,
    label_cells,
    labelling_record,
    marker_genes,
    script,
    settings_of,
    write_labelled,
)
from scmpt_core.progress import silent
from tests.conftest import TYPES, toy
from tests.helpers import dataset_of

ROOT = Path(__file__).parents[2]
DONORS = Clustering(column="donor")  # Leiden is held to planted clusters in tests/test_votes.py


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path / "store")


@pytest.fixture
def model(store):
    task = fusion.make_task(dataset_of(toy(seed=1)), "cell_type")
    spec = fusion.recommended(("pca",))
    return fusion.train_model(task, spec, QUICK, 0, store, choose_device(), "toy")


@pytest.fixture
def cells(write):
    """Other toy cells, with a column that has a name of ours."""
    adata = toy(20)
    adata.obs["scmpt_label"] = "mine"
    adata.uns["scmpt"] = {"mine": "too"}
    return write(adata)


def test_toy_cells_are_named_and_marked(model, store, cells):
    found = label_cells(load(cells), model, store, choose_device(), clustering=DONORS)
    truth = toy(20).obs["cell_type"].to_numpy()
    assert (found.guesses == truth).mean() > 0.95
    assert [(v.cluster, v.n) for v in found.votes] == [(f"d{i}", 15) for i in range(4)]
    markers = marker_genes(load(cells).usable(), found.guesses, 3)
    assert {name: {g["symbol"] for g in genes} for name, genes in markers.items()} == {
        name: set(genes) for name, genes in TYPES.items()
    }
    b = next(g for g in markers["B"] if g["symbol"] == "MS4A1")
    inside = load(cells).usable().expression[found.guesses == "B"].toarray()
    column = list(load(cells).usable().genes).index("MS4A1")
    assert b["share_inside"] == pytest.approx((inside[:, column] > 0).mean())


def test_a_missing_column_is_refused_before_the_long_work(model, cells, tmp_path):
    empty = EmbeddingStore(tmp_path / "empty")
    with pytest.raises(DataError, match="no column"):
        label_cells(load(cells), model, empty, choose_device(), clustering=Clustering("none"))
    assert not list(tmp_path.glob("empty/*"))


def test_columns_go_into_the_file_and_nothing_is_overwritten(model, store, cells, tmp_path):
    dataset, device = load(cells), choose_device()
    found = label_cells(
        dataset, model, store, device, rule=Rule(error=0.2, far=0.3), clustering=DONORS
    )
    found = replace(found, edits={"d1": "mine, too"}, terms={"mine, too": "CL:0000576"})
    record = labelling_record(dataset, model.name, model.record, found, DONORS, device)
    written = write_labelled(dataset, found, record, tmp_path / "out.h5ad")
    back = ad.read_h5ad(tmp_path / "out.h5ad")
    assert "obs['scmpt_label_2']" in written
    assert set(back.obs["scmpt_label"]) == {"mine"}
    assert back.uns["scmpt"]["mine"] == "too"
    names = {c: f"{c}_2" if c == "scmpt_label" else c for c in COLUMNS}
    for column, values in found.columns().items():
        here = back.obs[names[column]].to_numpy()
        if column == "scmpt_probability":
            np.testing.assert_allclose(here.astype(float), values)
        else:
            assert here.astype(str).tolist() == np.asarray(values).astype(str).tolist()
    assert {BY_HAND, FAR} <= set(back.obs["scmpt_reason"])
    settings = json.loads(back.uns["scmpt_2"]["settings"])
    assert settings == settings_of(found, dataset.view.to_json(), DONORS)
    assert settings["rule"] == {"error": 0.2, "far": 0.3, "coverage": 0.9}
    assert settings["clusters"] == cluster_sizes(found)
    assert back.uns["scmpt_2"]["threshold"] == found.decision.threshold


def test_the_script_repeats_the_run(model, store, cells, tmp_path):
    """Run as a person would, in another process; names with quotes and braces survive."""
    fusion.save(model, tmp_path / "model")
    view = {"min_genes": 3}
    dataset = load(cells, load(cells).view.from_json(view))
    found = label_cells(
        dataset, model, store, choose_device(), rule=Rule(error=0.1, far=0.2), clustering=DONORS
    )
    name = 'my "B" \\ {type} """'
    found = replace(found, edits={"d0": name, "d1": UNKNOWN}, terms={name: "CL:0000236"})
    settings = settings_of(found, dataset.view.to_json(), DONORS)
    text = script('cells "of" mine', "a\\model", settings)
    (tmp_path / "repeat.py").write_text(text, encoding="utf-8")
    command = [sys.executable, tmp_path / "repeat.py", cells, tmp_path / "model", "out.h5ad"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == found.counts
    back = ad.read_h5ad(tmp_path / "out.h5ad")
    assert back.obs["scmpt_label_2"].astype(str).tolist() == found.labels.tolist()
    assert back.obs["scmpt_ontology_id"].astype(str).tolist() == [
        found.ids_of_labels.get(label, "") for label in found.labels
    ]
    np.testing.assert_allclose(
        back.obs["scmpt_probability"], found.prediction.probability, atol=1e-6
    )


def test_names_are_not_given_to_other_clusters(model, store, cells, tmp_path):
    out = tmp_path / "out.h5ad"
    with pytest.raises(DataError, match="named by hand"):
        verbs.classify_file(
            load(cells), model, out, store, choose_device(), silent, clustering=DONORS,
            edits={"d0": "x"}, clusters={"d0": 60},
        )  # fmt: skip
    assert not out.exists()
