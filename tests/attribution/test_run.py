"""The runner: which cells, what survives a stop, and what is judged against markers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from scmpt_core.attribution import (
    Options,
    Request,
    Source,
    attribute,
    explain_cells,
    jaccard,
    load_attribution,
    rank_biased_overlap,
    save_attribution,
)
from scmpt_core.attribution.judged import judge_markers, make_yardsticks
from scmpt_core.attribution.summary import method_agreement, top_genes
from scmpt_core.cells import Cells
from scmpt_core.device import choose_device
from scmpt_core.errors import DataError, ModelError, SettingError
from scmpt_core.fusion import UNKNOWN, Rule, load_encoders
from scmpt_core.markers import Match, open_database
from scmpt_core.progress import Cancelled
from tests.conftest import TYPES, toy
from tests.helpers import cells_of

REQUEST = Request(("ig", "lime"), cells=2, ways=("scgpt-mini", "pca"), seeds=2,
                  options=Options(samples=50))  # fmt: skip


def run(trained, request=REQUEST, labels=True, **more):
    values = trained.dataset.obs["cell_type"].to_numpy(str) if labels else None
    return explain_cells(
        trained.model, trained.task.cells, values, request, trained.store, trained.device, "toy",
        **more,
    ).result  # fmt: skip


@pytest.fixture(scope="module")
def result(trained):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_DTYPE", "float32")
        return run(trained)


def test_test_cells_of_every_type_are_explained(trained, result):
    assert len(result.ids) == 6
    assert set(result.ids) <= set(trained.model.splits["test"])
    assert np.bincount(result.types).tolist() == [2, 2, 2]
    assert set(result.scores) == {
        Source(m, w, s)
        for m, seeds in (("ig", 1), ("lime", 2)) for w in ("scgpt-mini", "pca")
        for s in range(seeds)
    }  # fmt: skip
    different = result.scores[Source("lime", "pca", 0)] != result.scores[Source("lime", "pca", 1)]
    assert different.nnz > 0


def test_cells_of_another_file_are_not_taken_for_the_models_own(trained):
    """Two runs of a sequencer share barcodes: here the first two of the test cells."""
    other = cells_of(toy(seed=9))
    names = np.array([f"other{i}" for i in range(len(other))])
    names[:2] = list(trained.model.splits["test"])[:2]
    labels = toy(seed=9).obs["cell_type"].to_numpy(str)
    found = attribute(
        trained.model, replace(other, ids=names), labels, Request(("ig",), 3, ways=("pca",)),
        trained.store, trained.device, "other",
    )  # fmt: skip
    assert np.bincount(found.types).tolist() == [3, 3, 3]
    assert (found.settings["test_cells"], found.settings["training_cells"]) == (0, 0)
    yardsticks = make_yardsticks(replace(other, ids=names), labels, trained.model)
    assert (yardsticks.cells, yardsticks.training) == (len(other), False)


def test_training_cells_are_explained_only_where_there_are_no_others_and_it_is_told(trained):
    cells, labels = trained.task.cells, trained.dataset.obs["cell_type"].to_numpy(str)
    train = np.flatnonzero(trained.model.own(cells, "train"))
    other = cells_of(toy(seed=9))
    request = Request(("ig",), 2, types=("T",), ways=("pca",))
    found = attribute(trained.model, cells.take(train), labels[train], request, trained.store,
                      trained.device, "train")  # fmt: skip
    assert (found.settings["test_cells"], found.settings["training_cells"]) == (0, 2)
    mixed = Cells(
        sp.vstack([cells.expression[train], other.expression]).tocsr(), cells.genes,
        np.concatenate([cells.ids[train], [f"o{i}" for i in range(len(other))]]),
    )  # fmt: skip
    both = np.concatenate([labels[train], toy(seed=9).obs["cell_type"].to_numpy(str)])
    found = attribute(trained.model, mixed, both, request, trained.store, trained.device, "mixed")
    assert found.settings["training_cells"] == 0
    assert all(name.startswith("o") for name in found.ids)


def test_what_is_left_out_is_told(trained):
    labels = trained.dataset.obs["cell_type"].replace("B", "Neuron").to_numpy(str)
    found = attribute(trained.model, trained.task.cells, labels, Request(("ig",), 1, ways=("pca",)),
                      trained.store, trained.device, "toy")  # fmt: skip
    assert found.settings["types_without_cells"] == ["B"]
    assert found.settings["labels_not_known"] == {"Neuron": int((labels == "Neuron").sum())}


def test_any_class_can_be_the_target(trained):
    """The logit of B in cells of T: the same scores as T's cells have under the label B."""
    labels = trained.dataset.obs["cell_type"].to_numpy(str)
    request = Request(("ig",), 2, types=("T",), target="B", ways=("pca",))
    found = run(trained, request)
    assert found.type_names == ["T"]
    assert found.explained("T") == "B"
    turned = np.where(labels == "T", "B", np.where(labels == "B", "T", labels))
    same = attribute(trained.model, trained.task.cells, turned,
                     Request(("ig",), 2, types=("B",), ways=("pca",)), trained.store,
                     trained.device, "toy")  # fmt: skip
    assert found.ids.tolist() == same.ids.tolist()
    source = Source("ig", "pca")
    assert abs(found.scores[source] - same.scores[source]).max() == 0
    database = open_database("builtin")
    matches = [Match("T", "T cell", True), Match("B", "B cell", True)]
    rows = judge_markers(found, database, matches, draws=100).rows
    assert {row.entry for row in rows} == {"B cell"}
    with pytest.raises(SettingError, match="Neuron"):
        run(trained, Request(("ig",), target="Neuron"))


def test_cells_that_the_rule_leaves_unnamed_are_marked(trained):
    rule = Rule()
    found = run(trained, Request(("ig",), 3, ways=("pca",)))
    rows = [trained.task.cells.ids.tolist().index(name) for name in found.ids]
    said = trained.model.predict(trained.task.cells.take(np.array(rows)), trained.store,
                                 trained.device).decide(rule)  # fmt: skip
    np.testing.assert_array_equal(found.unknown, said.labels == UNKNOWN)
    np.testing.assert_array_equal(found.reasons, said.reasons)


def test_small_differences_are_computed_in_float32(trained, monkeypatch):
    """A model on bfloat16: occlusion as in float32, LIME in the device's own format."""
    options = Options(samples=50)
    request = Request(("occlusion", "lime"), 1, ways=("scgpt-mini",), options=options)
    with monkeypatch.context() as patch:
        patch.setenv("SCMPT_DTYPE", "bfloat16")
        device = choose_device()
        coarse = replace(trained.model, encoders=trained.model.encoders
                         | load_encoders(["scgpt-mini"], device))  # fmt: skip
        cells, labels = trained.task.cells, trained.dataset.obs["cell_type"].to_numpy(str)
        found = attribute(coarse, cells, labels, request, trained.store, device, "toy")
    exact = run(trained, request)
    assert found.settings["number_formats"] == {"occlusion": "float32", "lime": "bfloat16"}
    for method, atol in (("occlusion", 1e-6), ("lime", 0.3)):
        source = Source(method, "scgpt-mini")
        a, b = (each.scores[source].toarray() for each in (found, exact))
        np.testing.assert_allclose(a, b, atol=atol)
        assert (method == "occlusion") or np.abs(a - b).max() > 1e-5


def test_a_stopped_run_goes_on_with_equal_scores(trained, result, tmp_path):
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(trained, keep=tmp_path, progress=stop)
    kept = {f.name: f.stat().st_mtime_ns for f in tmp_path.iterdir()}
    assert 0 < len(kept) < 18
    again = run(trained, keep=tmp_path)
    assert {f.name: f.stat().st_mtime_ns for f in tmp_path.iterdir() if f.name in kept} == kept
    for source, scores in result.scores.items():
        assert abs(again.scores[source] - scores).max() == 0


def test_what_was_kept_for_one_type_is_not_given_for_another(trained, tmp_path):
    """The same cell under other labels is explained anew."""
    request = Request(("ig",), 1, ways=("pca",))
    first = run(trained, request, keep=tmp_path)
    turned = dict(zip(TYPES, [*list(TYPES)[1:], next(iter(TYPES))], strict=True))
    labels = np.array([turned[name] for name in trained.dataset.obs["cell_type"]])
    second = attribute(trained.model, trained.task.cells, labels, request, trained.store,
                       trained.device, "toy", keep=tmp_path)  # fmt: skip
    fresh = attribute(trained.model, trained.task.cells, labels, request, trained.store,
                      trained.device, "toy")  # fmt: skip
    assert set(first.ids) == set(second.ids)
    source = Source("ig", "pca")
    assert abs(second.scores[source] - fresh.scores[source]).max() == 0


def test_a_type_that_was_asked_for_and_has_no_cell_is_refused(trained):
    labels = trained.dataset.obs["cell_type"].replace("B", "none").to_numpy(str)
    with pytest.raises(DataError, match=r"No cell that the model was tested on has the type B\."):
        attribute(trained.model, trained.task.cells, labels, Request(("ig",), types=("T", "B")),
                  trained.store, trained.device, "toy")  # fmt: skip


def test_spread_is_over_cells_of_their_means_over_seeds(result):
    both = [result.scores[Source("lime", "pca", seed)].toarray() for seed in (0, 1)]
    rows = result.cells_of("T", "pca")
    each = (both[0] + both[1])[rows] / 2
    found = result.over_seeds("lime", "pca", "T")
    np.testing.assert_allclose(found.mean, each.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.spread, each.std(axis=0, ddof=1), rtol=1e-5)


def test_without_labels_the_predicted_type_is_explained(trained):
    found = run(trained, Request(("ig",), 1, ways=("pca", trained.model.name)), labels=False)
    assert not found.known
    np.testing.assert_array_equal(found.predicted[trained.model.name], found.types)


def test_it_is_saved_and_read_back(result, tmp_path):
    save_attribution(result, tmp_path)
    back = load_attribution(tmp_path)
    assert back.settings == result.settings
    for source, scores in result.scores.items():
        assert (back.scores[source] != scores).nnz == 0
        for name, values in result.quality[source].items():
            np.testing.assert_array_equal(back.quality[source][name], values)
    (tmp_path / "attribution.npz").write_bytes(b"cut short")
    with pytest.raises(ModelError, match="damaged"):
        load_attribution(tmp_path)


def test_what_cannot_be_explained_is_refused(trained):
    with pytest.raises(SettingError, match="Neuron"):
        run(trained, Request(("ig",), types=("Neuron",)))
    with pytest.raises(SettingError, match="ember"):
        run(trained, Request(("ig",), ways=("ember",)))
    with pytest.raises(SettingError, match="saliency"):
        Request(("saliency",))
    with pytest.raises(SettingError, match="cells is 0"):
        Request(("ig",), cells=0)
    with pytest.raises(SettingError, match="Types named: \\['T', 'T'\\]"):
        Request(("ig",), types=("T", "T"))
    with pytest.raises(SettingError, match="Types named: \\[\\]"):
        Request(("ig",), types=())
    with pytest.raises(DataError, match="No cell"):
        attribute(trained.model, trained.task.cells, np.full(len(trained.task.cells), "x"), REQUEST,
                  trained.store, trained.device, "toy")  # fmt: skip


def test_planted_markers_are_found_and_only_confirmed_labels_tested(trained, result, tmp_path):
    file = tmp_path / "mine.csv"
    lines = [f"{name} planted,{gene}" for name, genes in TYPES.items() for gene in genes]
    file.write_text("cell type,gene\n" + "\n".join(lines) + "\n")
    database = open_database(str(file))
    matches = [Match(n, f"{n} planted", n != "Mono") for n in TYPES]
    labels = trained.dataset.obs["cell_type"].to_numpy(str)
    yardsticks = make_yardsticks(trained.task.cells, labels, trained.model)
    report = judge_markers(result, database, matches, 3, 2_000, 0, yardsticks)
    rows = {(r.type, r.method, r.way): r for r in report.rows if not r.correct_only}
    assert rows["Mono", "ig", "pca"].test is None
    assert "not confirmed" in rows["Mono", "ig", "pca"].note
    for name in ("T", "B"):
        assert rows[name, "differential expression", "scgpt-mini"].test.overlap == 3
        plain = rows[name, "differential expression", "scgpt-mini"]
        # the smallest p of four tests, two types by two yardsticks
        assert plain.test.p <= plain.q <= 4 * plain.test.p
        test = rows[name, "ig", "pca"].test
        assert test.overlap >= 2
        assert test.p < 0.05
        assert rows[name, "ig", "pca"].q >= test.p
    tops = {(t["type"], t["method"], t["way"]): t for t in top_genes(result, 3)
            if not t["correct_only"]}  # fmt: skip
    assert tops["B", "ig", "pca"]["genes"][0]["gene"] in TYPES["B"]


def test_agreement_is_that_of_each_type_and_its_mean(result):
    rows = method_agreement(result, 5)
    assert len(rows) == 2 * 3 * (1 + 3)  # ig, lime 0, lime 1 on two ways; the mean and three types
    first, second = Source("lime", "pca", 0), Source("lime", "pca", 1)
    pair = [r for r in rows if (r["a_seed"], r["b_seed"], r["way"]) == (0, 1, "pca")
            and r["a"] == r["b"] == "lime"]  # fmt: skip
    each = {r["type"]: r["jaccard"] for r in pair}
    for name in TYPES:
        a, b = (result.of_type(source, name).mean for source in (first, second))
        assert each[name] == pytest.approx(jaccard(a, b, 5))
        assert 0 < each[name] < 1
    assert each[None] == pytest.approx(np.mean([each[name] for name in TYPES]))


def test_jaccard_and_rank_biased_overlap_by_hand():
    a, b = np.array([4.0, 3, 2, 1, 0]), np.array([3.0, 4, 0, 1, 2])
    assert jaccard(a, b, 2) == 1.0
    assert jaccard(a, b, 3) == pytest.approx(2 / 4)
    assert np.isnan(jaccard(-a, -b, 3))
    assert rank_biased_overlap(a, a) == pytest.approx(1.0)
    # disjoint rankings share nothing
    assert rank_biased_overlap(np.array([2.0, 1, 0, 0]), np.array([0, 0, 2.0, 1])) == 0
    # a = 0 1 2 3, b = 1 0 4 3: shared at depth 1…4: 0, 2, 2, 3
    p = 0.9
    shared = np.array([0, 2, 2, 3])
    d = np.arange(1, 5)
    expected = (1 - p) / p * (shared / d * p**d).sum() + 3 / 4 * p**4
    assert rank_biased_overlap(a, b, p) == pytest.approx(expected)
    # of unequal length, 0 1 against 1 0 4 3: shared at depth 1…4: 0, 2, 2, 2; Webber's eq. 32
    short = np.array([4.0, 3, 0, 0, 0])
    s, x_s, x_l, shared = 2, 2, 2, np.array([0, 2, 2, 2])
    beyond = np.arange(3, 5)
    sums = (shared / d * p**d).sum() + (x_s * (beyond - s) / (s * beyond) * p**beyond).sum()
    expected = (1 - p) / p * sums + ((x_l - x_s) / 4 + x_s / s) * p**4
    assert rank_biased_overlap(short, b, p) == pytest.approx(expected)
    assert rank_biased_overlap(b, short, p) == pytest.approx(expected)
