"""One contract for all detectors; each one's numbers against an independent computation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.numpy import load, save
from scipy.spatial.distance import cdist
from scipy.special import rel_entr
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from scmpt_core.cells import Cells
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.progress import silent
from scmpt_core.unknown import DETECTORS, Context, get_detector
from scmpt_core.unknown.components import component_scores
from scmpt_core.unknown.energy import C
from scmpt_core.unknown.neighbours import MOST, stratified_sample
from scmpt_core.unknown.profile import FLOOR, OVERALL, Profiles
from tests.unknown.planted import PER_TYPE, auroc, context_of, log_normalised, planted


@pytest.fixture(scope="module")
def known():
    """Training cells of types 0 and 1 and, seen the same way, new cells of types 0, 1 and 2."""
    cells, codes, vectors = planted()
    rows = np.flatnonzero(codes < 2)
    pca = PCAEncoder(get_spec("pca").info).fit(cells.take(rows))
    train = context_of(cells.take(rows), {n: x[rows] for n, x in vectors.items()}, pca)
    fresh, _, theirs = planted(1)
    return train, codes[rows], context_of(fresh, theirs, pca)


@pytest.mark.parametrize("info", DETECTORS, ids=lambda info: info.name)
def test_contract(info, known):
    train, codes, new = known
    assert info.summary
    assert any(mark in info.reference for mark in ("doi:", "arXiv:"))
    assert info.lacks(train, codes) == ""
    fitted = info.fit(train, codes, 0)
    scores = fitted.score(new)
    assert scores.shape == (len(new.cells),)
    assert auroc(scores[2 * PER_TYPE :], scores[: 2 * PER_TYPE]) > 0.9
    arrays = {k: np.ascontiguousarray(v) for k, v in fitted.state().items()}
    back = info.restore(load(save(arrays)), train.cells.genes)
    np.testing.assert_array_equal(back.score(new), scores)


@pytest.mark.parametrize("info", DETECTORS, ids=lambda info: info.name)
def test_a_cells_score_is_its_own(info, known):
    train, codes, new = known
    fitted = info.fit(train, codes, 0)
    rows = np.array([700, 3, 450])
    few = Context(new.cells.take(rows), new.pcs[rows], {n: x[rows] for n, x in new.vectors.items()})
    np.testing.assert_allclose(fitted.score(few), fitted.score(new)[rows], rtol=1e-4, atol=1e-6)


def test_names():
    names = [info.name for info in DETECTORS]
    assert len(set(names)) == len(names)
    assert get_detector(names[-1]) is DETECTORS[-1]
    with pytest.raises(KeyError):
        get_detector("oracle")


def test_context_of_other_cells():
    cells, _, vectors = planted(per_type=5)
    with pytest.raises(ValueError, match=r"15 cells, but \{'scgpt-mini': 14\}"):
        Context(cells, np.zeros((15, 50)), {"scgpt-mini": vectors["scgpt-mini"][1:]})


@pytest.mark.parametrize("classes", [2, 3])
def test_energy_is_the_log_of_the_summed_evidence(classes):
    """exp(−energy) · probability is exp(logit): probabilities are scikit-learn's own."""
    cells, codes, vectors = planted(per_type=60)
    rows = np.flatnonzero(codes < classes)
    train = context_of(cells.take(rows), {n: x[rows] for n, x in vectors.items()})
    fitted = get_detector("energy").fit(train, codes[rows], 0)
    x = train.pcs / np.sqrt(np.square(train.pcs, dtype=np.float64).mean())
    peer = LogisticRegression(C=C, max_iter=500).fit(x, codes[rows])
    logits = train.pcs @ fitted.weights + fitted.intercept
    proba = np.exp(logits + fitted.score(train)[:, None])
    np.testing.assert_allclose(proba, peer.predict_proba(x), atol=1e-6)


def test_energy_needs_two_types():
    cells, _, vectors = planted(per_type=10)
    assert "two types" in get_detector("energy").lacks(
        context_of(cells, vectors), np.zeros(30, int)
    )


def test_mahalanobis_is_scipys(known):
    train, codes, new = known
    x, y = train.pcs.astype(np.float64), new.pcs.astype(np.float64)
    means = np.stack([x[codes == k].mean(axis=0) for k in (0, 1)])

    def squared(centres, covariance):
        return cdist(y, centres, "mahalanobis", VI=np.linalg.pinv(covariance)) ** 2

    within = LedoitWolf(assume_centered=True).fit(x - means[codes]).covariance_
    overall = LedoitWolf().fit(x).covariance_
    centre = x.mean(axis=0, keepdims=True)
    expected = squared(means, within).min(axis=1) - squared(centre, overall)[:, 0]
    found = get_detector("mahalanobis").fit(train, codes, 0).score(new)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_neighbours_are_the_nearest_side_by_side(known):
    train, codes, new = known
    rng, n = np.random.default_rng(0), len(train.cells)
    second = {"scgpt-human": rng.normal(5, 3, size=(n, 4)), "minilm": rng.normal(size=(n, 3))}
    two = Context(train.cells, train.pcs, train.vectors | second)
    names = ("scgpt-mini", "scgpt-human")  # the text encoder has no say where there are others
    fitted = get_detector("neighbours").fit(two, codes, 0)
    assert tuple(fitted.cells) == names

    def scaled(vectors):
        centre = {k: two.vectors[k].mean(axis=0) for k in names}
        return np.concatenate(
            [(vectors[k] - centre[k]) / (two.vectors[k] - centre[k]).std() for k in names], axis=1
        )

    theirs = new.vectors | {"scgpt-human": rng.normal(5, 3, size=(len(new.cells), 4))}
    distances = np.sort(cdist(scaled(theirs), scaled(two.vectors)), axis=1)[:, :5]
    found = fitted.score(Context(new.cells, new.pcs, theirs))
    np.testing.assert_allclose(found, distances.mean(axis=1), rtol=2e-3)  # kept in float16


def test_neighbours_without_a_cell_encoder(known):
    train, codes, _ = known
    info = get_detector("neighbours")
    text = Context(train.cells, train.pcs, {"minilm": train.vectors["scgpt-mini"]})
    assert tuple(info.fit(text, codes, 0).cells) == ("minilm",)
    bare = Context(train.cells, train.pcs, {"pca": train.pcs})
    assert info.lacks(bare, codes) == "an encoder that reads genes or text"
    with pytest.raises(ValueError, match="no embeddings by minilm"):
        info.fit(text, codes, 0).score(bare)


def test_kept_cells_are_stratified():
    codes = np.repeat([0, 1, 2], [9000, 990, 10])
    kept = stratified_sample(codes, MOST, 0)
    np.testing.assert_array_equal(np.bincount(codes[kept]), [1800, 198, 2])
    assert (np.diff(kept) > 0).all()
    assert (stratified_sample(codes, MOST, 1) != kept).any()
    np.testing.assert_array_equal(stratified_sample(codes, len(codes), 0), np.arange(len(codes)))


def shares(cells: Cells) -> np.ndarray:
    linear = np.expm1(cells.expression.toarray().astype(np.float64))
    return linear / linear.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("every", [1, 2])
def test_profile_is_the_divergence_over_shared_genes(known, every):
    """Against scipy's relative entropy; ``every`` 2: half the genes, in another order."""
    train, codes, new = known
    fitted = get_detector("profile").fit(train, codes, 0)
    x = shares(train.cells)
    types = np.stack([x[codes == k].mean(axis=0) for k in (0, 1)])
    profiles = (1 - OVERALL) * types + OVERALL * x.mean(axis=0) + FLOOR
    order = np.arange(len(new.cells.genes))[::-every]
    some = Cells(new.cells.expression[:, order].tocsr(), new.cells.genes[order], new.cells.ids)
    theirs = profiles[:, order] / profiles[:, order].sum(axis=1, keepdims=True)
    expected = rel_entr(shares(some)[:, None], theirs).sum(axis=2).min(axis=1)
    deviance, t = fitted.deviance(some)
    np.testing.assert_allclose(deviance, expected, rtol=1e-4, atol=1e-6)
    detected = (x > 0).mean(axis=0)
    number = (some.expression.toarray() > 0).sum(axis=1) / (detected[order].sum() / detected.sum())
    np.testing.assert_allclose(t, np.log1p(number), rtol=1e-6)


def test_shallow_cells_are_not_strange_for_that():
    rng = np.random.default_rng(3)
    mean = rng.gamma(0.5, size=400)
    mean /= mean.sum()
    train = log_normalised(rng.poisson(rng.uniform(200, 2000, size=(400, 1)) * mean))
    empty: dict[str, np.ndarray] = {}
    codes, pcs = np.zeros(400, int), np.zeros((400, 2))
    fitted = get_detector("profile").fit(Context(train, pcs, empty), codes, 0)
    new = log_normalised(rng.poisson(np.repeat([250.0, 1800.0], 200)[:, None] * mean))
    raw, score = fitted.deviance(new)[0], fitted.score(Context(new, pcs, empty))
    assert auroc(raw[:200], raw[200:]) > 0.99
    assert auroc(score[:200], score[200:]) == pytest.approx(0.5, abs=0.12)


def test_the_curve_is_level_beyond_the_training_cells():
    genes = np.array(["a", "b"])
    curve, limits = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.6])
    profiles = np.full((1, 2), 0.5, np.float32)
    fitted = Profiles(genes, profiles, np.ones(2, np.float32), curve, limits)
    cells = Cells(
        sp.csr_matrix(np.array([[1, 1], [0, 0]], np.float32)), genes, np.array(["x", "y"])
    )
    score = fitted.score(Context(cells, np.zeros((2, 1)), {}))
    usual = [1 + 2 * t + 3 * t**2 for t in (0.6, 0.5)]  # log1p(2) and log1p(0) lie outside
    np.testing.assert_allclose(score, [-usual[0], -usual[1]], atol=1e-6)


def test_components_of_a_panel():
    """Cells that the components explain in full: half of the genes tell their scores."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(rng.gamma(2, 3, size=(60, 8)) @ rng.gamma(0.5, size=(8, 400)) + 1)
    cells = log_normalised(counts)
    pca = PCAEncoder(get_spec("pca").info).fit(cells)
    scores = rng.normal(size=(30, 50)) * np.sqrt(pca.variance)
    values = np.maximum(pca.mean + 0.05 * scores @ pca.components, 1e-6).astype(np.float32)
    ids = np.array([f"c{i}" for i in range(30)])
    whole = Cells(sp.csr_matrix(values), cells.genes, ids)
    true = pca.encode(whole, silent)
    np.testing.assert_array_equal(component_scores(pca, whole), true)
    part = whole.restrict(set(cells.genes[::2]))
    spread = np.abs(true).mean()
    assert np.abs(component_scores(pca, part) - true).mean() < 0.1 * spread
    assert np.abs(pca.encode(part, silent) - true).mean() > 0.4 * spread
