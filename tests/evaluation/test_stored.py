"""A comparison on disk says what it said in memory; a killed one goes on."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import ModelError
from scmpt_core.evaluation import Plan, compare, load_stored, order_classes, store
from scmpt_core.progress import Cancelled
from scmpt_core.settings import Settings
from tests.conftest import toy
from tests.helpers import dataset_of

PLAN = Plan.of(("pca",), "quick", (), ("majority",), 2)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    task = fusion.make_task(dataset_of(toy()), "cell_type")
    place = EmbeddingStore(tmp_path_factory.mktemp("store"))
    return compare("toy", task, PLAN, place, choose_device(Settings(dtype="float32")))


def test_stored_equals_memory(result, tmp_path):
    maps = {"pca": np.zeros((120, 2), np.float32)}
    store(result, maps, tmp_path)
    back = load_stored(tmp_path)
    assert back.summary["models"] == result.to_json()["models"]
    assert back.summary["verdict"] == result.to_json()["verdict"]
    assert back.fitted == ["pca+mlp", "pca+linear"]
    np.testing.assert_array_equal(back.truth, result.task.codes)
    np.testing.assert_array_equal(back.predicted["pca+mlp"], result.proba["pca+mlp"].argmax(axis=1))
    np.testing.assert_array_equal(back.confusions["pca+mlp"], result.confusion("pca+mlp"))
    assert (back.part == 3).sum() == len(result.splits[0].test)
    assert [seed for seed, _, _ in back.histories["pca+mlp"]] == [0, 1]
    model = fusion.load(tmp_path / "models" / "pca+mlp", choose_device())
    assert model.record["seed"] == 0
    assert back.maps["pca"].shape == (120, 2)


def test_the_first_splits_model_is_the_tested_one(result):
    """On that split's test cells, its accuracy is the first run's."""
    split, run = result.splits[0], result.of("pca+mlp")[0]
    predicted = result.proba["pca+mlp"][split.test].argmax(axis=1)
    assert (predicted == result.task.codes[split.test]).mean() == run.scores.accuracy


def test_damage_is_named(result, tmp_path):
    store(result, {}, tmp_path)
    (tmp_path / "comparison.json").write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        load_stored(tmp_path)


def test_a_stopped_comparison_goes_on_with_the_same_numbers(result, tmp_path):
    """The second call trains only what the first had not finished."""
    calls: list[str] = []

    def stop_at_second_split(fraction, message):
        calls.append(message)
        if message.startswith("split 2"):
            raise Cancelled

    place, keep = EmbeddingStore(tmp_path / "store"), tmp_path / "keep"
    arguments = ("toy", result.task, PLAN, place, choose_device())
    with pytest.raises(Cancelled):
        compare(*arguments, stop_at_second_split, keep)
    assert any(c.startswith("split 1") for c in calls)
    calls.clear()
    again = compare(*arguments, lambda f, m: calls.append(m), keep)
    assert not any(c.startswith("split 1") for c in calls)
    assert again.to_json()["models"][0]["macro_f1"] == result.to_json()["models"][0]["macro_f1"]
    np.testing.assert_allclose(again.proba["pca+mlp"], result.proba["pca+mlp"], atol=1e-6)


def test_confused_classes_stand_together():
    confusion = np.diag([50] * 5)
    confusion[0, 3] = confusion[3, 0] = 30  # 0 and 3 are near, and 1 and 4
    confusion[1, 4] = confusion[4, 1] = 20
    order = order_classes(confusion).tolist()
    assert sorted(order) == list(range(5))
    assert abs(order.index(0) - order.index(3)) == 1
    assert abs(order.index(1) - order.index(4)) == 1
    assert order_classes(np.eye(2)).tolist() == [0, 1]
