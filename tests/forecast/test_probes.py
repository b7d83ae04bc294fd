"""Probes against independent implementations, and on samples whose best encoder is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import null_space
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier

from scmpt_core.forecast import FUSED, PROBES, get_probe
from scmpt_core.forecast.probes import knn, linear, logme
from scmpt_core.forecast.probes.base import macro_f1_of
from tests.forecast.planted import sample_of


def direct(x: np.ndarray, y: np.ndarray) -> float:
    """Largest log density of ``y`` under N(0, 1/beta + x xᵀ/alpha), by a general optimiser."""

    def loss(log: np.ndarray) -> float:
        alpha, beta = np.exp(log)
        cov = np.eye(len(y)) / beta + x @ x.T / alpha
        return -multivariate_normal(np.zeros(len(y)), cov).logpdf(y)

    starts = [(a, b) for a in (-2.0, 1.0, 4.0) for b in (-1.0, 2.0)]
    found = [minimize(loss, s, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9})
             for s in starts]  # fmt: skip
    return -min(f.fun for f in found)


@pytest.mark.parametrize(("n", "features"), [(40, 5), (24, 60)])
def test_logme_is_the_evidence_maximised_directly(n, features):
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 3
    x = rng.normal(size=(n, features))
    x[:, :3] += 1.5 * np.eye(3)[codes]
    x -= x.mean(axis=0)
    x /= np.sqrt(np.square(x).mean())
    targets = np.eye(3)[codes] - np.eye(3)[codes].mean(axis=0)
    free = null_space(np.ones((1, n)))  # (n, n − 1): all directions but that of the intercept
    wanted = np.mean([direct(free.T @ x, free.T @ targets[:, k]) for k in range(3)]) / n
    assert logme.log_evidence(logme.gram_of(x), codes) == pytest.approx(wanted, abs=1e-4)


def test_logme_of_encoders_side_by_side_is_that_of_their_sum_of_products():
    sample = sample_of({"a": 2.0, "b": 1.0})
    grams = [logme.gram_of(x) for x in sample.whole.values()]
    scaled = [x - x.mean(axis=0) for x in sample.whole.values()]
    joined = np.concatenate([x / np.sqrt(np.square(x).mean()) for x in scaled], axis=1)
    direct_gram = joined.astype(float) @ joined.T.astype(float)
    np.testing.assert_allclose(sum(grams), direct_gram, atol=1e-3)
    fused = logme.run(sample, 0).values[-1]
    assert fused == pytest.approx(logme.log_evidence(direct_gram, sample.codes), abs=1e-5)


def test_logme_of_noise_is_that_of_no_features_at_all():
    rng = np.random.default_rng(1)
    codes = np.arange(200) % 2
    noise = logme.log_evidence(logme.gram_of(rng.normal(size=(200, 5))), codes)
    assert noise == pytest.approx(-0.5 * np.log(2 * np.pi * np.e / 4), abs=0.02)


def test_knn_votes_as_scikit_learn_does():
    sample = sample_of({"a": 1.5})
    wanted = np.zeros((len(sample), sample.classes))
    for k in range(len(sample.held)):
        mine, others = sample.folds == k, sample.folds != k
        fitted = KNeighborsClassifier(knn.NEIGHBOURS).fit(
            sample.whole["a"][others], sample.codes[others]
        )
        wanted[mine] = fitted.predict_proba(sample.whole["a"][mine])
    np.testing.assert_allclose(np.floor(knn.votes_of(sample, "a")) / knn.NEIGHBOURS, wanted)


def test_linear_predicts_each_cell_from_the_vectors_of_its_fold_alone():
    sample = sample_of({"a": 1.5})
    plain = linear.out_of_fold(sample, "a")
    copies = tuple({"a": x["a"].copy()} for x in sample.held)
    copies[0]["a"][sample.folds != 0] = 0  # of no use to the fold itself
    other = type(sample)(sample.codes, sample.classes, sample.folds, None, sample.whole, copies)
    changed = linear.out_of_fold(other, "a")
    torch.testing.assert_close(changed[sample.folds != 0], plain[sample.folds != 0])
    assert not torch.allclose(changed[sample.folds == 0], plain[sample.folds == 0], atol=0.1)
    torch.testing.assert_close(plain.exp().sum(1), torch.ones(len(sample)))


@pytest.mark.parametrize("probe", PROBES, ids=lambda p: p.name)
def test_every_probe_ranks_a_planted_encoder_above_a_weak_one_above_noise(probe):
    found = probe.run(sample_of({"noise": 0.0, "strong": 4.0, "weak": 1.5}), 0)
    assert found.rows == ("noise", "strong", "weak", FUSED)
    noise, strong, weak, fused = found.values
    assert strong > weak > noise
    assert fused > weak
    spread = (found.resamples[:, 1] - found.resamples[:, 2]).std()
    assert strong - weak > 2 * spread > 0
    again = probe.run(sample_of({"noise": 0.0, "strong": 4.0, "weak": 1.5}), 0)
    np.testing.assert_array_equal(found.resamples, again.resamples)


@pytest.mark.parametrize("probe", PROBES, ids=lambda p: p.name)
def test_one_encoder_has_no_fused_row(probe):
    assert probe.run(sample_of({"a": 1.5}), 0).rows == ("a",)


def test_fused_row_of_two_halves_of_the_label_is_better_than_either():
    rng = np.random.default_rng(2)
    sample = sample_of({"a": 0.0, "b": 0.0}, n=240)
    for half, name in enumerate(sample.whole):  # each tells one bit of the four types
        bit = sample.codes // 2 if half == 0 else sample.codes % 2
        sample.whole[name][:, 0] = 5 * bit + rng.normal(size=len(sample))
    for probe in (linear, knn):
        a, b, fused = probe.run(sample, 0).values
        assert fused > max(a, b) + 0.2


def test_macro_f1_and_its_resamples_are_those_of_drawn_cells_or_whole_groups():
    groups = np.array([f"d{i % 8}" for i in range(160)])
    rng = np.random.default_rng(0)
    for sample in (sample_of({"a": 1.0}), sample_of({"a": 1.0}, groups=groups)):
        guess = np.where(rng.random(160) < 0.7, sample.codes, 0)
        found = macro_f1_of(sample, {"a": guess}, 0)
        assert found.values[0] == pytest.approx(f1_score(sample.codes, guess, average="macro"))
        n, unit = (160, np.arange(160)) if sample.groups is None else (8, np.arange(160) % 8)
        drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), 3)
        for counts, value in zip(drawn, found.resamples[:3, 0], strict=True):
            cells = np.repeat(np.arange(160), counts[unit])
            wanted = f1_score(sample.codes[cells], guess[cells], average="macro")
            assert value == pytest.approx(wanted)


def test_an_unknown_probe_is_refused_by_name():
    with pytest.raises(Exception, match="no probe 'x'; there are: linear, knn, logme"):
        get_probe("x")
