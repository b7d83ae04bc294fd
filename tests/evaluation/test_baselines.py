"""One contract for every baseline of the registry, and what each promises besides."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from scmpt_core.cells import Cells
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.evaluation.baselines import BASELINES, celltypist, get_baseline, knn, logistic
from tests.conftest import TYPES, toy
from tests.helpers import cells_of

NAMES = [info.name for info in BASELINES]
READS_GENES = [name for name in NAMES if name != "majority"]
CLASSES = len(TYPES) + 1  # the last has no training cell


def labelled(seed: int) -> tuple[Cells, np.ndarray]:
    adata = toy(seed=seed)
    names = list(TYPES)
    return cells_of(adata), np.array([names.index(t) for t in adata.obs["cell_type"]])


@pytest.fixture(scope="module")
def train():
    return labelled(0)


@pytest.fixture(scope="module")
def test():
    return labelled(1)


@pytest.fixture(scope="module")
def fits(train):
    return {info.name: info.fit(*train, CLASSES, 0) for info in BASELINES}


def many_genes(n_cells: int = 90, n_genes: int = 600, seed: int = 0) -> tuple[Cells, np.ndarray]:
    """Three types with 20 planted markers each among more genes than CellTypist keeps of one."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_cells) % 3
    mean = np.full((n_cells, n_genes), 0.5)
    for code in range(3):
        mean[codes == code, 20 * code : 20 * code + 20] = 4
    x = rng.poisson(mean).astype(float)
    x = np.log1p(x / x.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
    genes = np.array([f"G{i}" for i in range(n_genes)])
    return Cells(sp.csr_matrix(x), genes, np.arange(n_cells).astype(str)), codes


def test_names_are_unique_and_found():
    assert len(set(NAMES)) == len(NAMES)
    assert [get_baseline(name) for name in NAMES] == BASELINES
    assert all(i.summary and i.reference and i.licence for i in BASELINES)
    with pytest.raises(SettingError, match=f"there are: {', '.join(NAMES)}"):
        get_baseline("svm")


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_of_every_class_and_none_of_absent_ones(name, fits, test):
    proba = fits[name].proba(test[0])
    assert proba.shape == (len(test[0]), CLASSES)
    assert proba.dtype == np.float32
    assert proba.min() >= 0
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert not proba[:, -1].any()


@pytest.mark.parametrize("name", NAMES)
def test_order_of_genes_and_cells_does_not_matter(name, fits, test):
    cells = test[0]
    whole = fits[name].proba(cells)
    order = np.random.default_rng(0).permutation(len(cells.genes))
    other = replace(cells, expression=cells.expression[:, order], genes=cells.genes[order])
    rows = np.array([50, 3, 99])
    np.testing.assert_allclose(fits[name].proba(other.take(rows)), whole[rows], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_missing_genes_are_zero_and_unknown_ones_ignored(name, fits, test):
    cells = test[0]
    kept = np.array([gene not in ("LYZ", "ACTB") for gene in cells.genes])
    zeroed = sp.csr_matrix(cells.expression.multiply(kept))
    zeroed.eliminate_zeros()
    named = np.where(kept, cells.genes, np.char.add("NEW-", cells.genes))
    np.testing.assert_allclose(
        fits[name].proba(replace(cells, genes=named)),
        fits[name].proba(replace(cells, expression=zeroed)),
        atol=1e-6,
    )


@pytest.mark.parametrize("name", READS_GENES)
def test_planted_types_are_recovered(name, fits, test):
    assert np.mean(fits[name].proba(test[0]).argmax(axis=1) == test[1]) >= 0.9


@pytest.mark.parametrize("name", READS_GENES)
def test_shuffled_labels_are_not(name, train, test):
    shuffled = np.random.default_rng(0).permutation(train[1])
    fit = get_baseline(name).fit(train[0], shuffled, CLASSES, 0)
    assert np.mean(fit.proba(test[0]).argmax(axis=1) == test[1]) < 0.55  # chance: 0.33


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_answer(name):
    cells, codes = many_genes()
    one, two = (get_baseline(name).fit(cells, codes, 3, 7).proba(cells) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", NAMES)
def test_a_single_class_and_few_cells(name, train, test):
    cells, codes = train[0].take(np.arange(5)), np.full(5, 2)
    proba = get_baseline(name).fit(cells, codes, CLASSES, 0).proba(test[0])
    np.testing.assert_allclose(proba[:, 2], 1)


@pytest.mark.parametrize("name", READS_GENES)
def test_two_classes(name, train, test):
    two = train[1] < 2
    fit = get_baseline(name).fit(train[0].take(two), train[1][two] + 1, CLASSES, 0)
    chosen = test[1] < 2
    proba = fit.proba(test[0].take(chosen))
    assert not proba[:, [0, 3]].any()
    assert np.mean(proba.argmax(axis=1) == test[1][chosen] + 1) >= 0.9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [[-1, 0, 1], [0, 1, CLASSES], [0, 1]])
def test_codes_that_fit_nothing(name, wrong, train):
    with pytest.raises(ValueError, match="codes"):
        get_baseline(name).fit(train[0].take(np.arange(3)), np.array(wrong), CLASSES, 0)


def test_majority_is_the_shares_of_training(train, test):
    codes = np.repeat([0, 1, 2], [60, 20, 40])
    proba = get_baseline("majority").fit(train[0], codes, CLASSES, 0).proba(test[0])
    np.testing.assert_allclose(proba, np.tile([1 / 2, 1 / 6, 1 / 3, 0], (len(test[0]), 1)))


def test_logistic_is_at_the_optimum(fits, train):
    """The gradient of the penalised likelihood, written out, is 0."""
    fit, (cells, codes) = fits["logistic"], train
    x = cells.expression.toarray().astype(np.float64)
    x = np.minimum(x / x.std(axis=0), 10)
    weights = fit.model.coef_  # (classes, genes)
    error = softmax(x @ weights.T + fit.model.intercept_, axis=1) - np.eye(3)[codes]
    gradient = logistic.C * error.T @ x + weights
    assert np.abs(gradient).max() < 0.02 * logistic.C * np.abs(error.T @ x).max()


def test_neighbours_are_weighted_by_distance(fits, train, test):
    """Against all distances in the components of an independent SVD."""
    dense = train[0].expression.toarray().astype(np.float64)
    mean = dense.mean(axis=0)
    axes = np.linalg.svd(dense - mean, full_matrices=False)[2][:29]  # of 30 genes
    old, new = (dense - mean) @ axes.T, (test[0].expression.toarray() - mean) @ axes.T
    distance = np.linalg.norm(new[:, None] - old[None], axis=2)  # (new, old)
    near = np.argsort(distance, axis=1)[:, : knn.NEIGHBOURS]
    weight = 1 / np.take_along_axis(distance, near, axis=1)
    expected = np.stack([(weight * (train[1][near] == c)).sum(axis=1) for c in range(3)], axis=1)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fits["knn"].proba(test[0])[:, :3], expected, atol=1e-4)


def test_celltypist_answers_as_celltypist_does(monkeypatch):
    """Its own ``annotate``, on 10,000 a cell; genes chosen, since there are more than 300."""
    monkeypatch.setattr(celltypist, "TOP_GENES", 40)
    monkeypatch.setattr(celltypist, "BLOCK", 32)
    cells, codes = many_genes()
    fit = celltypist.fit_celltypist(cells, codes, 3)
    assert len({f"G{i}" for i in range(60)} & set(fit.model.features)) >= 50  # planted
    assert len(fit.model.features) <= 3 * 40
    from celltypist import annotate

    adata = ad.AnnData(cells.expression, var=pd.DataFrame(index=cells.genes))
    own = annotate(adata, model=fit.model).probability_matrix.to_numpy()
    expected = own / own.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fit.proba(cells), expected, atol=1e-5)
    assert np.abs(own.sum(axis=1) - 1).max() > 1e-3  # why they are divided by their sum


def test_one_regression_a_class():
    """``multi_class="ovr"``: each column is a regression of its own."""
    cells, codes = many_genes()
    x = cells.expression.toarray()
    fit = celltypist.OneVsRestLogistic(C=0.5, max_iter=500).fit(x, codes)
    for code in range(3):
        alone = LogisticRegression(C=0.5, max_iter=500).fit(x, codes == code)
        np.testing.assert_allclose(
            expit(fit.decision_function(x))[:, code], alone.predict_proba(x)[:, 1], atol=1e-6
        )
    with pytest.raises(TypeError, match="multi_class"):  # once this passes, the class can go
        LogisticRegression(multi_class="ovr")


def test_celltypist_takes_logs_of_another_scale(train, test):
    """2.5 × the values, as logs to another base: beyond 9.22, and the same answers."""
    cells = [replace(c, expression=c.expression * np.float32(2.5)) for c in (train[0], test[0])]
    assert cells[0].expression.max() > 9.22
    scaled = celltypist.fit_celltypist(cells[0], train[1], 3).proba(cells[1])
    plain = celltypist.fit_celltypist(train[0], train[1], 3).proba(test[0])
    np.testing.assert_allclose(scaled, plain, atol=0.01)


IMPORT = """
import json, logging, os, socket, sys, warnings
before = warnings.filters[:]
def refuse(*a, **k): raise AssertionError("network")
socket.socket.connect = refuse
sys.path.insert(0, os.getcwd())
import numpy as np
from tests.evaluation.test_baselines import many_genes
from scmpt_core.evaluation.baselines.celltypist import fit_celltypist
root = logging.getLogger()
kept = (root.level, root.handlers[:], warnings.filters[:], os.environ.get("CELLTYPIST_FOLDER"))
fit_celltypist(*many_genes(), 3).proba(many_genes()[0])
assert kept == (
    root.level, root.handlers, warnings.filters, os.environ.get("CELLTYPIST_FOLDER")
), kept
"""


def test_celltypist_leaves_no_trace(tmp_path):
    """Nothing in the home folder, nothing printed, no logger or warning filter changed."""
    home = tmp_path / "empty"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "MPLCONFIGDIR": str(tmp_path)}
    environment.pop("CELLTYPIST_FOLDER", None)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], env=environment, cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [p for p in home.rglob("*") if "celltypist" in p.name or p.suffix == ".pkl"] == []


def test_celltypist_not_installed(monkeypatch):
    celltypist._training.cache_clear()
    for name in [n for n in sys.modules if n.split(".")[0] == "celltypist"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "celltypist", None)
    with pytest.raises(MissingComponent, match="cannot be imported"):
        celltypist.fit_celltypist(*many_genes(), 3)
    celltypist._training.cache_clear()
