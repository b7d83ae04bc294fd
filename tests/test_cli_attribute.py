"""`attribute` on the command line: what it says, and what it refuses before it computes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.attribution import load_attribution
from scmpt_core.attribution.judged import load_yardsticks
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.evaluation import Plan
from tests.conftest import TYPES, toy
from tests.helpers import dataset_of
from tests.test_cli import here


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file, and a model of it."""
    at = tmp_path_factory.mktemp("attribute")
    toy().write_h5ad(at / "cells.h5ad")
    task = fusion.make_task(dataset_of(toy()), "cell_type")
    budget = Plan.of(("pca",), "quick", None, None, 1).budget
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_DTYPE", "float32")
        store, device = EmbeddingStore(at / "embeddings"), choose_device()
        spec = fusion.ModelSpec(("pca",), "linear")
        model = fusion.train_model(task, spec, budget, 0, store, device, "toy")
    fusion.save(model, at / "model")
    lines = [f"{name} planted,{gene}" for name, genes in TYPES.items() for gene in genes]
    (at / "markers.csv").write_text("cell type,gene\n" + "\n".join(lines) + "\n")
    return at


@pytest.fixture
def attribute(folder, monkeypatch, capsys):
    def call(*args, model="model"):
        return here(monkeypatch, capsys, "attribute", str(folder / "cells.h5ad"), "--model",
                    str(folder / model), *map(str, args))  # fmt: skip

    return call


def test_the_models_own_column_is_taken_and_all_is_in_the_json(attribute, folder, tmp_path):
    out = tmp_path / "kept"
    pairs = [word for name in TYPES for word in ("--match", f"{name}={name} planted")]
    code, text, err = attribute(
        "--method", "ig", "--method", "occlusion", "--cells", 2, "--markers",
        folder / "markers.csv", *pairs, "--top", 3, "-o", out, "--json",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(text)
    assert (found["label"], found["known_types"]) == ("cell_type", True)
    assert found["cells"] == dict.fromkeys(sorted(TYPES), 2)
    assert found["settings"]["test_cells"] == 6
    tests = {(r["type"], r["method"]): r for r in found["tests"] if not r["correct_only"]}
    for name, genes in TYPES.items():
        test = tests[name, "ig"]["test"]
        assert set(test["found"]) <= set(genes)
        assert test["overlap"] >= 2
        assert tests[name, "ig"]["q"] >= test["p"]
        assert {"p_hypergeom", "null_mean"} <= set(test)
        assert tests[name, "differential expression"]["test"]["overlap"] == 3
    assert "training cells" in found["yardsticks"]
    assert {row["type"] for row in found["agreement"]} == {None, *TYPES}
    assert {match["label"]: match["entry"] for match in found["matches"]} == {
        name: f"{name} planted" for name in TYPES
    }
    assert load_attribution(out).type_names == sorted(TYPES)
    assert load_yardsticks(out).training


def test_lines_say_what_a_label_was_taken_for_and_name_the_top_genes(attribute, folder):
    args = ("--cells", 1, "--type", "T", "--predicted", "--markers", folder / "markers.csv")
    code, text, err = attribute(*args, "--match", "T=T planted")
    assert code == 0, err
    assert "1 cell of 1 type, by their predicted types" in text
    assert "T → T planted (by you)" in text
    top = next(line for line in text.splitlines() if line.startswith("T, ig: "))
    assert set(top.removeprefix("T, ig: ").split(", ")[:2]) <= set(TYPES["T"])
    assert "by the type that it predicts" in text


def test_the_logit_of_another_class(attribute):
    code, text, err = attribute("--cells", 1, "--type", "T", "--target", "B", "--json")
    assert code == 0, err
    found = json.loads(text)
    assert [match["label"] for match in found["matches"]] == ["B"]
    assert found["settings"]["target"] == "B"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--type", "T", "--type", "T"), "Types named: ['T', 'T']"),
        (("--type", "Neuron"), "It knows: B, Mono, T"),
        (("--target", "Neuron"), "It knows: B, Mono, T"),
        (("--top", 0), "The top 0 genes"),
        (("--match", "B=Nope"), "Nope"),
        (("--match", "Nope=B cell"), "There is no label 'Nope'"),
        (("--orders", 5), "Give an even number"),
        (("--text-baseline", "zero"), "Give one of pad, mask"),
        (("--label", "nope"), "nope"),
        (("--label", "cell_type", "--predicted"), "Ask for one of them"),
        (("--markers", "no.csv"), "neither a file nor one of the databases"),
        (("--canonical", "--species", "Mm"), "cannot be filtered by species"),
        (("-o", "{file}/child"), "cannot be made"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_computed(
    attribute, folder, monkeypatch, args, words
):
    monkeypatch.setattr("scmpt_core.attribution.run._explain", lambda *_: pytest.fail("computed"))
    code, text, err = attribute(*(str(a).format(file=folder / "cells.h5ad") for a in args))
    assert (code, text) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_a_model_of_no_such_name_names_those_that_ship(attribute):
    code, _, err = attribute(model="nope")
    assert code == 2
    assert "pbmc" in err
    assert "islets" in err


def test_predicted_and_known_types_differ_where_the_model_errs(folder, attribute):
    """Without --label, a column whose names the model does not know is not taken."""
    strange = toy()
    strange.obs["cell_type"] = np.where(strange.obs["cell_type"] == "T", "Tee", "Bee")
    strange.write_h5ad(folder / "cells.h5ad")
    code, text, err = attribute("--cells", 1, "--json")
    toy().write_h5ad(folder / "cells.h5ad")
    assert code == 0, err
    assert (json.loads(text)["label"], json.loads(text)["known_types"]) == (None, False)
