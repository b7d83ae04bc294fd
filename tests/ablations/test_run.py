"""The runner: what is encoded, both regimes, and what a planted truth must give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scmpt_core.ablations import (
    Known,
    Request,
    ablate,
    board,
    curve,
    get_ablation,
    load_ablated,
    read_gene_set,
    save_ablated,
    summarise,
    type_rows,
    unperturbed,
)
from scmpt_core.ablations.bench import changed
from scmpt_core.ablations.ragged import kept
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError, ModelError, SettingError
from scmpt_core.metrics import score
from tests.conftest import TYPES

MARKERS = {name: frozenset(genes) for name, genes in TYPES.items()}


@pytest.fixture(scope="module")
def run(planted, tmp_path_factory):
    scratch = EmbeddingStore(tmp_path_factory.mktemp("scratch"))

    def call(*names, labels=True, **options):
        labels = planted.dataset.adata.obs["cell_type"].to_numpy(str) if labels else None
        known = Known(labels, None, tuple(MARKERS[name] for name in planted.model.classes))
        return ablate(
            planted.model, planted.task.cells, known, Request(names or None, **options),
            planted.store, planted.device, "toy", scratch=scratch,
        )  # fmt: skip

    return call


def row(result, ablation, way=None, regime="fixed", target=""):
    found = [
        r for r in summarise(result)
        if (r.ablation, r.way, r.regime, r.target)
        == (ablation, way or result.ways[0], regime, target)
    ]  # fmt: skip
    assert len(found) == 1
    return found[0]


def test_only_what_changed_is_encoded(run, planted):
    n = len(planted.model.splits["test"])
    assert run("hash").encoded == {"minilm": n}
    assert run("equal-values").encoded == {"scgpt-mini": n, "pca": n}
    assert run("mean-block", "swap-block").encoded == {}
    everything = frozenset(map(str, planted.task.cells.genes))  # so no cell changes
    assert run("only-gene-set", gene_set=everything).encoded == {}


def test_cells_that_stay_as_they_are_are_found(planted):
    cells = planted.task.cells.take(np.arange(5))
    keep = np.ones(cells.expression.nnz, bool)
    keep[cells.expression.indptr[3]] = False
    assert changed(cells, kept(cells, keep)).tolist() == [3]


def test_before_is_what_the_model_says(run, planted):
    result = run("hash")
    cells = planted.task.cells
    rows = np.flatnonzero(np.isin(cells.ids, result.ids))
    said = planted.model.predict(cells.take(rows), planted.store, planted.device)
    before = result.before["fixed", planted.model.name]
    assert (before.predicted == said.proba.argmax(axis=1)).all()
    assert before.probability == pytest.approx(said.proba.max(axis=1), abs=1e-5)
    assert (result.codes == planted.task.codes[rows]).all()


def test_after_is_what_the_model_says_of_the_perturbed_cells(run, planted):
    result = run("dropout", strengths=(0.5,))
    cells = planted.task.cells
    mine = cells.take(np.flatnonzero(np.isin(cells.ids, result.ids)))
    perturbed = get_ablation("dropout").perturb(mine, None, 0.5, 0)
    said = planted.model.predict(perturbed, planted.store, planted.device)
    after = result.after["fixed", planted.model.name].predicted[0]
    assert (after == said.proba.argmax(axis=1)).all()


def test_planted_markers_carry_the_labels(run):
    result = run("no-markers", "only-markers", "no-all-markers", "only-all-markers")
    first = unperturbed(result)[0]
    assert first["accuracy"] > 0.9
    assert row(result, "no-markers").accuracy < 0.4
    assert row(result, "no-all-markers").accuracy < 0.6
    assert row(result, "only-all-markers").accuracy > 0.9
    assert board(summarise(result), "fixed", result.ways[0])[0].ablation == "no-markers"


def test_a_refitted_head_reads_new_names(run):
    result = run("hash", regimes=("fixed", "refit"))
    fixed, refit = (row(result, "hash", "minilm", r) for r in ("fixed", "refit"))
    assert refit.accuracy > fixed.accuracy + 0.2
    assert refit.accuracy > 0.8


def test_refit_without_a_perturbation_is_the_model(run, planted):
    result = run("equal-values", regimes=("refit",))
    scores = unperturbed(result)[0]
    assert scores["accuracy"] == pytest.approx(planted.model.record["test"]["accuracy"], abs=1e-9)


def test_a_part_has_no_row_for_what_it_does_not_read(run):
    rows = summarise(run("reverse-within", "shuffle-values", "mean-block"))
    at = {(r.ablation, r.target, r.way) for r in rows}
    assert ("reverse-within", "", "minilm") in at
    assert ("reverse-within", "", "pca") not in at
    assert ("shuffle-values", "", "pca") in at
    assert ("shuffle-values", "", "minilm") not in at
    assert {(t, w) for a, t, w in at if a == "mean-block" and not w.startswith("scmpt")} == {
        (name, name) for name in ("minilm", "scgpt-mini", "pca")
    }


def test_cells_without_any_gene_have_no_label(run):
    result = run("only-gene-set", gene_set=frozenset(["LYZ"]))
    found = row(result, "only-gene-set")
    empty = result.after["fixed", result.ways[0]].predicted[0] == len(result.classes)
    assert 0 < found.unlabelled < 1
    assert found.unlabelled == pytest.approx(empty.mean())
    assert (result.after["fixed", result.ways[0]].probability[0][empty] == 0).all()
    assert found.accuracy <= 1 - found.unlabelled


def test_numbers_against_their_definitions(run):
    result = run("dropout", strengths=(0.5, 0.75), seeds=3)
    way = result.ways[0]
    rows = curve(summarise(result), "dropout", "fixed", way)
    assert [r.strength for r in rows] == [0.5, 0.75]
    assert rows[0].seeds == 3
    before, after = result.before["fixed", way], result.after["fixed", way]
    now = after.predicted[:3]
    f1 = [score(result.codes, p, result.classes).macro_f1 for p in now]
    first = score(result.codes, before.predicted, result.classes).macro_f1
    assert rows[0].macro_f1 == pytest.approx(np.mean(f1))
    assert rows[0].macro_f1_sd == pytest.approx(np.std(f1, ddof=1))
    assert rows[0].macro_f1_drop == pytest.approx(first - np.mean(f1))
    assert rows[0].flipped == pytest.approx(np.mean(now != before.predicted))
    assert rows[0].lost == pytest.approx(
        np.mean(before.probability - after.probability[:3]), abs=1e-6
    )
    assert rows[0].interval.low <= rows[0].macro_f1_drop <= rows[0].interval.high
    types = type_rows(result, rows[0])
    assert sum(t.n for t in types) == len(result.ids)
    flipped = sum(t.n * t.flipped for t in types) / len(result.ids)
    assert flipped == pytest.approx(rows[0].flipped)
    recall = [(now[:, result.codes == c] == c).mean() for c in range(len(result.classes))]
    assert [t.recall for t in types] == pytest.approx(recall)


def test_without_labels_flips_are_told_and_scores_are_not(run, planted):
    result = run("shuffle-before", labels=False, cells=20)
    assert not result.known
    assert len(result.ids) == 20
    found = row(result, "shuffle-before")
    assert found.accuracy is None
    assert found.macro_f1_drop is None
    assert found.interval is None
    assert 0 <= found.flipped <= 1


def test_a_sample_is_drawn_by_ids(run):
    few, more = run("mean-block", cells=10), run("mean-block", cells=15)
    assert len(few.ids) == 10
    assert set(few.ids) < set(more.ids)


def test_back_from_disk(run, tmp_path):
    result = run("hash", "swap-block", strengths=(0.5,), regimes=("fixed", "refit"), seeds=2)
    save_ablated(result, tmp_path)
    again = load_ablated(tmp_path)
    assert summarise(again) == summarise(result)
    assert again.settings == result.settings
    assert again.encoded == result.encoded
    (tmp_path / "ablations.npz").write_bytes(b"PK broken")
    with pytest.raises(ModelError, match="damaged"):
        load_ablated(tmp_path)


def test_what_cannot_be_made_is_said(run, planted):
    result = run("depth", "no-gene-set", "hash")
    assert result.skipped == {
        "depth": "the file holds no counts", "no-gene-set": "no gene set was given"
    }  # fmt: skip
    with pytest.raises(SettingError, match="no counts"):
        run("depth")


def test_places_are_not_handed_to_weighted_sentences(run, planted, monkeypatch):
    text = planted.model.encoders["minilm"]
    monkeypatch.setattr(text, "info", replace(text.info, fitted=True))
    result = run("hash", "window", "shuffle-top", "dropout")
    assert set(result.skipped) == {"hash", "window", "shuffle-top"}
    assert {r.ablation for r in result.rows} == {"dropout"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strengths": (2.0,)}, "share of the genes renamed is 2"),
        ({"regimes": ("frozen",)}, "Regimes named"),
        ({"seeds": 0}, "seeds is 0"),
        ({"cells": 0}, "cells is 0"),
    ],
)
def test_requests_that_cannot_be_met(options, words):
    with pytest.raises(SettingError, match=words):
        Request(("hash",), **options)


def test_names_and_strengths_are_checked():
    with pytest.raises(SettingError, match="no ablation 'shuffel'"):
        Request(("shuffel",))
    with pytest.raises(SettingError, match="has no strength"):
        Request(("equal-values",), strengths=(0.5,))
    with pytest.raises(SettingError, match="no ablation"):
        Request(strengths=(0.5,))
    with pytest.raises(SettingError, match="whole number"):
        Request(("top-n",), strengths=(2.5,))


def test_refit_needs_the_cells_that_were_trained_on(run, planted):
    with pytest.raises(SettingError, match="known types"):
        run("hash", labels=False, regimes=("refit",))
    labels = planted.dataset.adata.obs["cell_type"].to_numpy(str)
    lost = np.flatnonzero(np.isin(planted.task.cells.ids, list(planted.model.splits["train"])[:1]))
    keep = np.setdiff1d(np.arange(len(labels)), lost)
    with pytest.raises(DataError, match="train cells"):
        ablate(
            planted.model, planted.task.cells.take(keep), Known(labels[keep]),
            Request(("hash",), regimes=("refit",)), planted.store, planted.device, "toy",
        )  # fmt: skip


def test_refit_needs_the_groups_that_were_kept_together(run, planted, monkeypatch):
    monkeypatch.setitem(planted.model.record, "group", "donor")
    with pytest.raises(DataError, match="whole groups of 'donor'"):
        run("hash", regimes=("refit",))


def test_gene_sets_are_read(tmp_path):
    assert read_gene_set(None) == frozenset()
    assert read_gene_set("CD3D, HLA-DRA;\nNKX2.1") == {"CD3D", "HLA-DRA", "NKX2.1"}
    file = tmp_path / "genes.txt"
    file.write_text("LYZ\nCD14\n")
    assert read_gene_set(str(file)) == {"LYZ", "CD14"}
    with pytest.raises(SettingError, match="names no gene"):
        read_gene_set(" ,; ")
