"""The runner: which cells, what survives a stop, and what is judged against markers."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core.attribution import (
    Options,
    Request,
    Source,
    attribute,
    jaccard,
    load_attribution,
    rank_biased_overlap,
    save_attribution,
)
from scmpt_core.attribution.judged import judge_markers, make_yardsticks
from scmpt_core.attribution.summary import method_agreement, top_genes
from scmpt_core.errors import DataError, ModelError, SettingError
from scmpt_core.markers import Match, open_database
from scmpt_core.progress import Cancelled
from tests.conftest import TYPES

REQUEST = Request(("ig", "lime"), cells=2, ways=("scgpt-mini", "pca"), seeds=2,
                  options=Options(samples=50))  # fmt: skip


def run(trained, request=REQUEST, labels=True, **more):
    values = trained.dataset.obs["cell_type"].to_numpy(str) if labels else None
    return attribute(
        trained.model, trained.task.cells, values, request, trained.store, trained.device, "toy",
        **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def result(trained):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_DTYPE", "float32")
        return run(trained)


def test_test_cells_of_every_type_are_explained(trained, result):
    assert len(result.ids) == 6
    assert set(result.ids) <= set(trained.model.split_ids["test"])
    assert np.bincount(result.types).tolist() == [2, 2, 2]
    assert set(result.scores) == {
        Source(m, w, s)
        for m, seeds in (("ig", 1), ("lime", 2)) for w in ("scgpt-mini", "pca")
        for s in range(seeds)
    }  # fmt: skip
    different = result.scores[Source("lime", "pca", 0)] != result.scores[Source("lime", "pca", 1)]
    assert different.nnz > 0


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
        assert rows[name, "differential expression", "scgpt-mini"].q is None
        test = rows[name, "ig", "pca"].test
        assert test.overlap >= 2
        assert test.p < 0.05
        assert rows[name, "ig", "pca"].q >= test.p
    tops = {(t["type"], t["method"], t["way"]): t for t in top_genes(result, 3)
            if not t["correct_only"]}  # fmt: skip
    assert tops["B", "ig", "pca"]["genes"][0]["gene"] in TYPES["B"]


def test_agreement_is_one_for_equal_and_falls_for_others(result):
    rows = method_agreement(result, 5)
    assert len(rows) == 2 * 3  # ig, lime 0, lime 1 on two ways
    seeds = [r for r in rows if r["a"] == r["b"] == "lime" and r["way"] == "pca"]
    assert seeds[0]["rbo"] > 0.5


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
