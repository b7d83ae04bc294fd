"""The command line as a user runs it: exit codes, JSON alone on stdout, a killed run continued."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from scmpt_core.ablations import load_ablated
from scmpt_core.cli import main
from scmpt_core.cli.shared import view_of
from scmpt_core.errors import ScmptError
from scmpt_core.labelling import COLUMNS
from scmpt_core.robustness import load_card
from tests.conftest import toy

ROOT = Path(__file__).parents[1]


def start(*args):
    return subprocess.Popen(
        [sys.executable, "-m", "scmpt_core", *map(str, args)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(*args):
    process = start(*args)
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def ok(*args):
    code, out, err = run(*args, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cells.h5ad"
    toy().write_h5ad(path)
    return path


def test_check_and_encoders(file):
    result = ok("check", file)
    assert set(result) == {"cells", "genes", "matrix", "values", "labels", "findings"}
    assert (result["cells"], result["genes"], result["matrix"]) == (120, 30, "X")
    assert {f["code"] for f in result["findings"]} >= {"coverage_scgpt-mini", "species"}
    keys = {
        "name",
        "modality",
        "dimension",
        "ready",
        "trained",
        "how_to_get",
        "reference",
        "licence",
    }
    assert all(keys <= set(row) for row in ok("encoders"))


def test_train_compare_classify_embed(file, tmp_path):
    model, out = tmp_path / "model", tmp_path / "out.h5ad"
    trained = ok("train", file, "--label", "cell_type", "--encoder", "pca", "-o", model)
    assert trained["name"] == "pca+linear"
    assert trained["test"]["accuracy"] > 0.6
    result = ok("classify", file, "--model", model, "-o", out)
    written = ad.read_h5ad(out)
    assert sum(result["labels"].values()) == 120
    named = (written.obs["scmpt_label"] != "Unknown").to_numpy()
    assert named.sum() == 120 - sum(result["unknown"].values()) > 60
    right = written.obs["scmpt_label"].astype(str) == written.obs["cell_type"].to_numpy()
    assert right[named].mean() > 0.9
    assert set(COLUMNS) <= set(written.obs)
    assert written.obs["scmpt_probability"].between(0, 1).all()
    assert written.uns["scmpt"]["model"] == "pca+linear"
    assert written.uns["scmpt"]["rule"] == {"error": 0.05, "far": 0.01, "coverage": 0.9}
    np.testing.assert_array_equal(written.X.toarray(), toy().X.toarray())

    again = ok(
        "embed", out, "--encoder", "pca", "--encoder", "scgpt-mini", "-o", tmp_path / "e.h5ad"
    )
    assert "uns['scmpt_2']" in again["written"]
    embedded = ad.read_h5ad(tmp_path / "e.h5ad")
    assert embedded.obsm["X_scmpt_pca"].shape == (120, 50)
    assert embedded.obsm["X_scmpt_scgpt-mini"].shape == (120, 256)
    assert "fitted on all" in again["notes"][0]

    table = ok(
        "compare", file, "--label", "cell_type", "--encoder", "pca", "--encoder", "scgpt-mini",
        "--splits", 1, "--baseline", "knn", "--head", "average",
    )  # fmt: skip
    assert [m["name"] for m in table["models"]] == [
        "pca+mlp", "pca+linear", "scgpt-mini+mlp", "scgpt-mini+linear", "scmpt", "scmpt-average",
        "knn",
    ]  # fmt: skip
    assert {p["b"] for p in table["verdict"]["pairs"]} >= {"knn"}
    assert table["models"][0]["macro_f1"]["interval"]["unit"] == "cells"


def test_ablate_and_robustness(file, tmp_path):
    model, kept = tmp_path / "model", tmp_path / "kept"
    ok("train", file, "--label", "cell_type", "--encoder", "pca", "-o", model)
    found = ok(
        "ablate", file, "--model", model, "--label", "cell_type", "--ablation", "dropout",
        "--ablation", "panel", "--ablation", "hash", "--strength", 0.5, "--seeds", 2,
        "--regime", "fixed", "--regime", "refit", "-o", kept,
    )  # fmt: skip
    at = {(row["regime"], row["ablation"]): row for row in found["ablations"]}
    assert set(at) == {(r, a) for r in ("fixed", "refit") for a in ("dropout", "panel")}
    assert "hash" in found["skipped"]
    row = at["fixed", "dropout"]
    assert (row["strength"], row["seeds"], row["n"]) == (0.5, 2, found["cells"])
    assert sum(each["n"] for each in row["types"]) == row["n"]
    assert load_ablated(kept).model == "pca+linear"
    card = ok("robustness", file, "--model", model)
    assert load_card(model).to_json()["trials"] == card["trials"]
    assert {trial["kind"] for trial in card["trials"]} == {"as trained", "shift", "unseen type"}


def test_forecast_ranks_the_encoders_and_their_fusion(file):
    found = ok(
        "forecast", file, "--label", "cell_type", "--encoder", "pca", "--encoder", "scgpt-mini",
        "--cells", 60,
    )  # fmt: skip
    assert {row["name"] for row in found["rows"]} == {"pca", "scgpt-mini", "scmpt"}
    assert sum(row["best"] for row in found["rows"]) == pytest.approx(1)
    assert (found["cells"], found["unit"], found["properties"]["cells"]) == (60, "cells", 120)


BAD = {
    "missing": ("check", "no.h5ad"),
    "label": ("train", "{file}", "--label", "nope", "-o", "{out}"),
    "no label": ("train", "{file}", "-o", "{out}"),
    "encoder": ("embed", "{file}", "--encoder", "nope", "-o", "{out}.h5ad"),
    "not ready": ("embed", "{file}", "--encoder", "scgpt-human", "-o", "{out}.h5ad"),
    "groups": ("compare", "{file}", "--label", "cell_type", "--group", "two"),
    "no group": ("compare", "{file}", "--label", "cell_type", "--group", "nope"),
    "model": ("classify", "{file}", "--model", "{out}", "-o", "{out}.h5ad"),
    "input": ("embed", "{file}", "-o", "{file}"),
    "suffix": ("embed", "{file}", "-o", "{out}.csv"),
    "scaled": ("embed", "{scaled}", "-o", "{out}.h5ad"),
    "matrix": ("embed", "{file}", "--matrix", "nope", "-o", "{out}.h5ad"),
    "splits": ("compare", "{file}", "--label", "cell_type", "--splits", "0"),
    "forecast": ("forecast", "{file}", "--label", "cell_type", "--cells", "20"),
    "effort": ("compare", "{file}", "--label", "cell_type", "--effort", "nope"),
    "head": ("train", "{file}", "--label", "cell_type", "--head", "nope", "-o", "{out}"),
    "baseline": ("compare", "{file}", "--label", "cell_type", "--baseline", "nope"),
    "prefix": ("train", "{file}", "--label", "cell_type", "--prefix", "human", "-o", "{out}"),
    "in pieces": (
        "embed",
        "{file}",
        "--encoder",
        "minilm",
        "--sentence",
        "relative",
        "--backed",
        "-o",
        "{out}.h5ad",
    ),
    "ablation": ("ablate", "{file}", "--model", "{out}", "--ablation", "nope"),
    "error": ("classify", "{file}", "--model", "{out}", "--error", "2", "-o", "{out}.h5ad"),
}


def here(monkeypatch, capsys, *args):
    """As :func:`run`, in this process: a process of its own takes seconds to import torch."""
    monkeypatch.setattr(sys, "argv", ["scmpt_core", *args])
    with warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("case", BAD)
def test_what_the_user_can_put_right_ends_in_2_with_nothing_written(
    case, tmp_path, monkeypatch, capsys
):
    adata = toy()
    adata.obs["two"] = ["a", "b"] * 60
    adata.write_h5ad(tmp_path / "cells.h5ad")
    adata.X = adata.X.toarray() - 3
    adata.write_h5ad(tmp_path / "scaled.h5ad")
    before = sorted(p.name for p in tmp_path.iterdir())
    names = {
        "file": tmp_path / "cells.h5ad",
        "scaled": tmp_path / "scaled.h5ad",
        "out": tmp_path / "out",
    }
    args = [a.format(**names) for a in BAD[case]]
    code, out, err = run(*args) if case == "missing" else here(monkeypatch, capsys, *args)
    assert code == 2, err
    assert out == ""
    assert err.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in err
    assert [n for n in sorted(p.name for p in tmp_path.iterdir()) if n != "home"] == before


def test_check_of_an_unusable_file_still_answers(tmp_path):
    adata = toy()
    adata.X = adata.X.toarray() - 3
    adata.write_h5ad(tmp_path / "scaled.h5ad")
    findings = ok("check", tmp_path / "scaled.h5ad")["findings"]
    assert "negative_values" in [f["code"] for f in findings if f["severity"] == "error"]


def test_a_killed_embed_continues(home, tmp_path, monkeypatch):
    monkeypatch.setenv("SCMPT_DTYPE", "auto")
    cells, out = tmp_path / "cells.h5ad", tmp_path / "out.h5ad"
    toy(200).write_h5ad(cells)  # three chunks
    process = start("embed", cells, "--encoder", "minilm", "-o", out)
    deadline = time.monotonic() + 240
    while not (first := sorted(home.rglob("*.npy"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert first, "no chunk was written in time"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    assert not list(home.rglob("manifest.json")), "killed too late to show anything"
    stamps = {p: os.stat(p).st_mtime_ns for p in home.rglob("*.npy")}
    ok("embed", cells, "--encoder", "minilm", "-o", out)
    assert all(os.stat(p).st_mtime_ns == t for p, t in stamps.items())
    assert ad.read_h5ad(out).obsm["X_scmpt_minilm"].shape == (600, 384)


def test_view_takes_the_choices_of_the_app(file):
    genes = np.diff(toy().X.tocsr().indptr)
    limit = int(np.median(genes))
    result = ok("check", file, "--view", json.dumps({"min_genes": limit}))
    assert result["cells"] == (genes >= limit).sum()
    code, out, err = run("check", file, "--view", "{")
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    for text in ("{", "[1]", '{"min_genes": "x"}', '{"surprise": 1}'):
        with pytest.raises(ScmptError):
            view_of(None, text)


def test_two_workers_do_not_share_a_home(home):
    first = start("worker")
    try:
        end = time.monotonic() + 60
        while not (home / "scmpt.sqlite").exists() and time.monotonic() < end:
            time.sleep(0.1)
        code, _, err = run("worker")
        assert code == 2
        assert "Another worker" in err
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=30) in (0, 130)
    finally:
        first.kill()
