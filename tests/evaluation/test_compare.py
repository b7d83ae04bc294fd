"""The comparison's rows, numbers and splits."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import SettingError
from scmpt_core.evaluation import Plan, compare, umap_of
from scmpt_core.evaluation.verdict import BASELINE
from tests.conftest import toy
from tests.helpers import dataset_of


def run(tmp_path, names, group=None, seeds=1, heads=(), baselines=("majority",)):
    task = fusion.make_task(dataset_of(toy()), "cell_type", group)
    plan = Plan.of(names, "quick", heads, baselines, seeds)
    return compare("toy", task, plan, EmbeddingStore(tmp_path / "s"), choose_device())


def test_rows_and_numbers(tmp_path):
    result = run(tmp_path, ("scgpt-mini", "pca"), seeds=2)
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert [m["name"] for m in data["models"]] == [
        "scgpt-mini+mlp", "scgpt-mini+linear", "pca+mlp", "pca+linear", "scmpt", "majority",
    ]  # fmt: skip
    rows = {m["name"]: m for m in data["models"]}
    assert rows["scmpt"]["encoders"] == ["scgpt-mini", "pca"]
    assert rows["majority"]["accuracy"]["mean"] == pytest.approx(1 / 3)
    assert rows["pca+mlp"]["macro_f1"]["mean"] > 0.9
    assert rows["pca+mlp"]["accuracy"]["n"] == 2
    assert set(rows["scmpt"]["per_class"]) == {"T", "Mono", "B"}
    assert set(rows["scmpt"]["per_class"]["T"]["f1"]) == {"mean", "sd", "n"}
    assert result.confusion("scmpt").sum() == sum(len(s.test) for s in result.splits)


def test_one_encoder_has_no_fusion(tmp_path):
    result = run(tmp_path, ("pca",), baselines=("majority", "knn"))
    assert result.models == ["pca+mlp", "pca+linear", "majority", "knn"]
    assert [p.question for p in result.verdict.pairs] == [BASELINE]


def test_groups_give_one_run_a_fold(tmp_path):
    result = run(tmp_path, ("pca",), group="donor")
    assert len(result.splits) == 4
    assert len(result.of("pca+mlp")) == 4


def test_settings_are_checked(tmp_path):
    with pytest.raises(SettingError):
        run(tmp_path, ("pca",), seeds=0)
    with pytest.raises(SettingError):
        run(tmp_path, ("pca", "pca"))


def test_umap_keeps_planted_groups_apart():
    rng = np.random.default_rng(0)
    points = np.repeat([[0.0] * 5, [30.0] * 5], 40, axis=0) + rng.normal(size=(80, 5))
    out = umap_of(points)
    assert out.shape == (80, 2)
    centres = out[:40].mean(axis=0), out[40:].mean(axis=0)
    spread = max(out[:40].std(), out[40:].std())
    assert np.linalg.norm(centres[0] - centres[1]) > spread
    assert umap_of(points[:3]).shape == (3, 2)
