"""How the reference models are made, on toy studies with planted types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from scmpt_core import fusion
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.ontology import find_term, name_of
from scmpt_core.robustness import CARD
from scripts.reference_data import (
    TISSUES,
    Source,
    Study,
    Tissue,
    known_classes,
    read_study,
    sampled,
    trimmed,
)
from scripts.reference_model import ENCODERS, Machine, Recipe, shared_components, widened
from scripts.reference_tests import PanelPoint, limits
from scripts.reference_views import View, as_measured, random_views, rescaled, stacked
from scripts.train_reference_models import make
from tests.conftest import SYMBOLS, toy
from tests.helpers import cells_of

LABELS = {"T": "T cell", "Mono": "monocyte", "B": "B cell"}
CLASSES = {"T cell": "CL:0000084", "monocyte": "CL:0000576", "B cell": "CL:0000236"}


def source(name: str) -> Source:
    return Source(name, name, "cell_type", "donor", LABELS, f"toy {name}", "planted")


TOY = Tissue(
    "pbmc", "Toy blood", CLASSES, (source("one"), source("two")),
    ((("one", "two"), "three"),), (source("three"),),
)  # fmt: skip


def study(name: str = "one", seed: int = 0, n: int = 40) -> Study:
    adata = toy(n, seed)
    labels = np.array([LABELS[label] for label in adata.obs["cell_type"]])
    return Study(name, cells_of(adata), labels, adata.obs["donor"].to_numpy(str))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three studies as files; the second lacks some genes."""
    for seed, name in enumerate(("one", "two", "three")):
        adata = toy(seed=seed)
        kept = [g for g in SYMBOLS if name != "two" or g not in ("CD3E", "JUN", "FOS")]
        adata[:, kept].copy().write_h5ad(tmp_path / f"{name}.h5ad")
    return tmp_path


@pytest.mark.parametrize("tissue", TISSUES, ids=lambda t: t.name)
def test_every_label_leads_to_a_term_of_the_ontology(tissue):
    for name, term in tissue.classes.items():
        assert name_of(term)
        assert find_term(name).id == term
    used = {ours for s in (*tissue.sources, *tissue.extra) for ours in s.labels.values()}
    assert used == set(tissue.classes)
    trained = {s.name for s in tissue.sources}
    for train, held in tissue.tests:
        assert set(train) <= trained
        assert held in trained | {s.name for s in tissue.extra}
        assert held not in train


def test_unlisted_labels_and_empty_cells_are_left_out(folder):
    kept = read_study(replace(source("one"), labels={"T": "T cell"}), folder)
    assert set(kept.labels) == {"T cell"}
    assert len(kept) == 40
    assert set(kept.groups) == {"d0", "d1", "d2", "d3"}


def test_a_sample_takes_as_many_of_each_type_and_donor():
    kept = sampled(study(), 8, seed=0)
    for label in CLASSES:
        mine = kept.groups[kept.labels == label]
        assert np.unique(mine, return_counts=True)[1].tolist() == [2, 2, 2, 2]
    assert np.array_equal(kept.cells.ids, sampled(study(), 8, seed=0).cells.ids)


def test_rare_genes_and_rare_classes_are_not_known():
    whole = study()
    expressed = (whole.cells.expression > 0).mean(axis=0).A1
    kept = trimmed(whole, 0.8).cells.genes
    assert set(kept) == set(whole.cells.genes[expressed >= 0.8])
    rare = whole.take(np.r_[np.arange(9), np.arange(40, 120)])
    assert known_classes([rare], CLASSES) == ("monocyte", "B cell")


def test_views_hold_their_own_cells_on_fewer_genes():
    whole = study()
    wide = replace(whole, cells=replace(whole.cells, counts=None))
    views = random_views(wide, 6, 0.5, seed=1)
    for i, view in enumerate(views):
        assert set(view.cells.genes) <= set(whole.cells.genes)
        assert len(view.rows) <= 60
        assert view.labels.tolist() == whole.labels[view.rows].tolist()
        same = whole.cells.take(view.rows).restrict(set(view.cells.genes)).expression
        if i % 3 == 0:
            assert (view.cells.expression != same).nnz == 0
        elif i % 3 == 1:
            sums = np.expm1(view.cells.expression.toarray().astype(float)).sum(axis=1)
            np.testing.assert_allclose(sums, 1e4, rtol=1e-4)
        else:  # one factor on the linear values
            ratio = np.expm1(view.cells.expression.data.astype(float)) / np.expm1(same.data)
            np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
            assert 0.1 <= ratio[0] <= 10
    again = random_views(wide, 6, 0.5, seed=1)
    assert [v.cells.fingerprint for v in views] == [v.cells.fingerprint for v in again]


def test_rescaling_twice_by_inverse_factors_changes_nothing():
    cells = study().cells
    back = rescaled(rescaled(cells, 4.0), 0.25)
    np.testing.assert_allclose(back.expression.data, cells.expression.data, rtol=1e-5)


def test_stacked_views_stand_in_their_columns():
    whole = study()
    some = View(whole, whole.cells.take(np.arange(5)).restrict({"LYZ", "ACTB"}), np.arange(5))
    both = stacked([as_measured(whole), some], whole.cells.genes)
    dense = both.expression.toarray()
    np.testing.assert_array_equal(dense[:120], whole.cells.expression.toarray())
    inside = np.isin(whole.cells.genes, ["LYZ", "ACTB"])
    np.testing.assert_array_equal(dense[120:, inside], dense[:5, inside])
    assert not dense[120:, ~inside].any()


def test_components_are_those_of_cells_around_their_studys_mean():
    first, second = study("one", 0), study("two", 1)
    shifted = second.cells.expression.copy()
    shifted.data += 3  # a difference between studies, on every expressed gene
    second = replace(second, cells=replace(second.cells, expression=shifted))
    views = [as_measured(first), as_measured(second)]
    pca = shared_components(views, first.cells.genes)
    dense = [view.cells.expression.toarray().astype(float) for view in views]
    _, spread, axes = np.linalg.svd(np.vstack([x - x.mean(axis=0) for x in dense]), False)
    cosines = np.abs((pca.components[:5] * axes[:5]).sum(axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-3)
    np.testing.assert_allclose(pca.variance[:5], spread[:5] ** 2 / 238, rtol=1e-4)
    np.testing.assert_allclose(pca.mean, np.vstack(dense).mean(axis=0), rtol=1e-4)


def test_a_class_that_a_fit_did_not_know_is_the_least_likely():
    logits = np.array([[2.0, 1.0], [0.0, 5.0]])
    wide = widened(logits, ("T cell", "B cell"), TOY)
    assert wide.argmin(axis=1).tolist() == [1, 1]  # monocyte
    np.testing.assert_allclose(softmax(wide, axis=1)[:, [0, 2]], softmax(logits, axis=1), atol=1e-4)


def test_the_limit_is_where_the_curve_reaches_two_points():
    points = [
        PanelPoint("one", "random", x, dict.fromkeys(ENCODERS, x), 0.0 if x > 0.5 else 0.3)
        for x in np.linspace(0.05, 0.95, 19)
    ]
    found = limits(points)
    assert set(found) == set(ENCODERS)
    assert all(0.5 < limit < 0.56 for limit in found.values())


def test_a_reference_model_is_made_tested_and_written(folder, tmp_path, capsys):
    machine = Machine(choose_device(), EmbeddingStore(tmp_path / "store"))
    recipe = Recipe(per_type=20, views=2, least=0.0)
    out = tmp_path / "models"
    (out / "pbmc").mkdir(parents=True)
    (out / "pbmc" / "README.md").write_text("an older card")
    (out / "pbmc" / CARD).write_text("of the older model")
    numbers = make(TOY, folder, out, recipe, machine)
    model = fusion.load(out / "pbmc", choose_device())
    assert model.classes == tuple(CLASSES)
    assert model.record["ontology"] == CLASSES
    assert model.splits == {}
    assert set(model.genes) == set(SYMBOLS)  # a gene that one study measures is enough
    last = numbers["tests"][-1]
    assert (last["train"], last["test"]) == (("one", "two"), "three")
    assert last["accuracy"] > 0.8  # chance is 1 in 3
    assert set(last["baselines"]) == {"logistic", "celltypist"}
    assert not (out / "pbmc" / CARD).exists()
    assert "reference_robustness.py" in capsys.readouterr().err
    card = (out / "pbmc" / "README.md").read_text("utf-8")
    assert "Robustness" not in card
    assert f"{last['macro_f1']:.3f}" in card
    assert all(term in card for term in CLASSES.values())
