"""A type left out of training is found, and known cells keep their p-values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load, save
from scipy.stats import kstest

from scmpt_core.cells import Cells
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.errors import ModelError
from scmpt_core.unknown import DETECTORS, UnknownDetector
from tests.unknown.planted import auroc, planted

LEFT_OUT = 2


@pytest.fixture(scope="module")
def task():
    """Cells, codes, vectors; positions of training, calibration, known test and strange cells."""
    cells, codes, vectors = planted(per_type=600)
    order = np.random.default_rng(0).permutation(np.flatnonzero(codes != LEFT_OUT))
    train, calibration, test = np.sort(order[:300]), np.sort(order[300:600]), np.sort(order[600:])
    return cells, codes, vectors, train, calibration, test, np.flatnonzero(codes == LEFT_OUT)


@pytest.fixture(scope="module")
def fitted(task):
    cells, codes, vectors, train, calibration, *_ = task
    return UnknownDetector.fit(cells, codes, train, calibration, vectors, 0)


def test_left_out_type_is_found(task, fitted):
    cells, _, vectors, *_, test, strange = task
    p = fitted.novelty(cells, vectors)
    assert ((p > 0) & (p <= 1)).all()
    assert auroc(-p[strange], -p[test]) > 0.99
    assert np.median(p[strange]) < 0.01
    statistic = fitted.statistic(cells, vectors)
    order = np.argsort(statistic)
    assert (np.diff(p[order]) <= 0).all()
    assert len(np.unique(p[strange])) == len(strange)


def test_known_cells_are_uniform(task, fitted):
    cells, _, vectors, *_, test, _ = task
    known = cells.take(test), {name: x[test] for name, x in vectors.items()}
    for p in (fitted.novelty(*known), *fitted.parts(*known).values()):
        # 600 cells against 300: two samples of one distribution differ by 0.115 in 1 of 100
        assert kstest(p, "uniform").statistic < 0.115


def test_dependence_of_the_detectors_is_taken_into_account(task, fitted):
    """χ² with 8 degrees of freedom would call too many; the p-value is told from the cells."""
    cells, _, vectors, *_, test, _ = task
    p = fitted.novelty(cells, vectors)[test]
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.035)
    parts = fitted.parts(cells, vectors)
    assert list(parts) == [info.name for info in DETECTORS]
    summed = -np.log(np.stack(list(parts.values()))).sum(axis=0)
    np.testing.assert_allclose(fitted.statistic(cells, vectors), summed)


def test_saved_and_restored(task, fitted):
    cells, _, vectors, *_ = task
    meta = json.loads(json.dumps(fitted.meta()))
    back = UnknownDetector.restore(meta, load(save(fitted.state())), cells.genes)
    np.testing.assert_array_equal(back.novelty(cells, vectors), fitted.novelty(cells, vectors))
    assert back.meta() == fitted.meta()
    assert meta["judged_on"] == "300 calibration cells"


def test_components_that_a_model_has_already(task, fitted):
    cells, codes, vectors, train, calibration, *_ = task
    pca = PCAEncoder(get_spec("pca").info).fit(cells.take(train))
    other = UnknownDetector.fit(cells, codes, train, calibration, vectors, 0, pca=pca)
    np.testing.assert_array_equal(other.novelty(cells, vectors), fitted.novelty(cells, vectors))
    assert not [key for key in other.state() if key.startswith("pca.")]
    with pytest.raises(ValueError, match="PCA, which is missing"):
        UnknownDetector.restore(other.meta(), other.state(), cells.genes)
    back = UnknownDetector.restore(other.meta(), other.state(), cells.genes, pca)
    np.testing.assert_array_equal(back.novelty(cells, vectors), fitted.novelty(cells, vectors))


def test_order_of_the_genes_does_not_matter(task, fitted):
    cells, _, vectors, *_ = task
    order = np.random.default_rng(1).permutation(len(cells.genes))
    turned = Cells(cells.expression[:, order].tocsr(), cells.genes[order], cells.ids)
    np.testing.assert_allclose(
        fitted.novelty(turned, vectors), fitted.novelty(cells, vectors), rtol=1e-3
    )


def test_a_cell_is_judged_by_itself(task, fitted):
    cells, _, vectors, *_, strange = task
    rows = np.array([strange[5], 4])
    alone = fitted.novelty(cells.take(rows), {name: x[rows] for name, x in vectors.items()})
    np.testing.assert_allclose(alone, fitted.novelty(cells, vectors)[rows], rtol=1e-3)
    none = rows[:0]
    empty = fitted.novelty(cells.take(none), {name: x[none] for name, x in vectors.items()})
    assert empty.shape == (0,)


def test_fewer_genes(task, fitted):
    """Three quarters of the genes, drawn by chance."""
    cells, _, vectors, *_, test, strange = task
    panel = np.random.default_rng(1).permutation(cells.genes)[:150]
    p = fitted.novelty(cells.restrict(set(panel)), vectors)
    assert auroc(-p[strange], -p[test]) > 0.97
    assert (p[test] <= 0.05).mean() < 0.12


def test_foreign_genes_change_nothing(task, fitted):
    cells, _, vectors, *_ = task
    names = cells.genes.copy()
    names[:3] = ["other0", "other1", "other2"]
    renamed = Cells(cells.expression, names, cells.ids)
    lacking = cells.restrict(set(cells.genes[3:]))
    np.testing.assert_allclose(
        fitted.novelty(renamed, vectors), fitted.novelty(lacking, vectors), rtol=1e-3
    )


@pytest.mark.parametrize("size", [0, 6])
def test_few_calibration_cells(task, size):
    cells, codes, vectors, train, calibration, test, strange = task
    train, calibration = train[::3], calibration[:size]
    fitted = UnknownDetector.fit(cells, codes, train, calibration, vectors, 0)
    assert fitted.judged_on == f"{size} calibration cells and 100 training cells, each held out"
    assert len(fitted.known) == 100 + size
    p = fitted.novelty(cells, vectors)
    assert auroc(-p[strange], -p[test]) > 0.97
    assert (p[test] <= 0.05).mean() < 0.1


def test_a_type_of_one_cell_is_not_judged_without_it(task):
    """It is unknown to the fits that lack it, so it says nothing of what known cells look like."""
    cells, codes, vectors, train, calibration, _, strange = task
    more = np.sort(np.append(train[::3], strange[0]))
    fitted = UnknownDetector.fit(cells, codes, more, calibration[:5], vectors, 0)
    assert len(fitted.known) == 105


def test_encoders_missing_are_stated(task):
    cells, codes, _, train, calibration, test, strange = task
    fitted = UnknownDetector.fit(cells, codes, train, calibration, {}, 0)
    assert fitted.left_out == {"neighbours": "an encoder that reads genes or text"}
    assert "neighbours" not in fitted.parts(cells, {})
    p = fitted.novelty(cells, {})
    assert auroc(-p[strange], -p[test]) > 0.99
    assert fitted.meta()["left_out"] == fitted.left_out


def test_many_calibration_cells_are_sampled(monkeypatch, task):
    cells, codes, vectors, train, calibration, *_ = task
    monkeypatch.setattr("scmpt_core.unknown.detector.MOST", 50)
    fitted = UnknownDetector.fit(cells, codes, train, calibration, vectors, 0)
    assert 45 <= len(fitted.known) <= 50


def test_too_few_cells(task):
    """One cell a type: none can be judged by the others."""
    cells, codes, *_ = task
    three = np.array([0, 600, 1200])
    with pytest.raises(ModelError, match="0 cells are too few to tell"):
        UnknownDetector.fit(cells, codes, three, three[:0], {}, 0)


def test_a_fold_without_a_second_type(task):
    """Without the one cell of type 1 there is no classifier, so that fold says nothing."""
    cells, codes, vectors, *_ = task
    train = np.append(np.arange(30), 600)
    fitted = UnknownDetector.fit(cells, codes, train, train[:0], vectors, 0)
    assert len(fitted.known) == 27  # of ten folds one held three cells beside it
    assert fitted.novelty(cells, vectors)[1200:].max() < 0.5


def test_seed(task, fitted):
    """Only which cells are kept is random, and here all are."""
    cells, codes, vectors, train, calibration, *_ = task
    other = UnknownDetector.fit(cells, codes, train, calibration, vectors, 5)
    np.testing.assert_array_equal(other.novelty(cells, vectors), fitted.novelty(cells, vectors))
