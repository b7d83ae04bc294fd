"""LogME: how well a linear model with any weights would explain the labels, without a fit.

Each class is regressed on the vectors by a Bayesian linear model whose two precisions, of weights
and of noise, maximise the evidence (You et al. 2021, arXiv 2102.11005, algorithm 1).
"""

from __future__ import annotations

import numpy as np

from scmpt_core.forecast.probes.base import FUSED, Probed, ProbeInfo, rows_of, units_of
from scmpt_core.forecast.sample import Sample

HALVES = 40
STEPS = 200
CLOSE = 1e-6  # relative change of a precision ratio that ends the iteration
NOTHING = 1e-10  # of the largest eigenvalue: below it there is no direction
WIDEST = 1e12  # a weight precision that leaves the weights at 0


def run(sample: Sample, seed: int) -> Probed:
    """Evidence a cell of each encoder, and of all side by side.

    The evidence holds no cell back, so an encoder that is fitted is fitted to the whole sample.
    The spread is that of random halves, which for a half of the cells is that of the whole (the
    delete-half jackknife, Shao & Wu 1989, doi:10.1214/aos/1176347263).
    """
    rows = rows_of(sample)
    grams = [gram_of(x) for x in sample.whole.values()]
    grams += [np.sum(grams, axis=0)] if FUSED in rows else []  # side by side, they add up
    halves = _halves(sample, np.random.default_rng(seed))
    values = [log_evidence(g, sample.codes) for g in grams]
    others = [[log_evidence(g[np.ix_(h, h)], sample.codes[h]) for g in grams] for h in halves]
    return Probed(rows, np.array(values), np.array(others))


def gram_of(x: np.ndarray) -> np.ndarray:
    """Inner products, (cells, cells), of vectors in spreads from their mean."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    power = np.square(centred).mean()
    return centred @ centred.T / (power if power > 0 else 1.0)


def log_evidence(gram: np.ndarray, codes: np.ndarray) -> float:
    """Mean over classes and cells of the largest log evidence, in nats; higher is better.

    Parameters
    ----------
    gram
        Inner products of the cells' vectors, (cells, cells).
    codes
        Class of each cell, (cells,). Membership of a class and vectors are both taken from their
        mean, an intercept that costs one degree of freedom: were it counted, vectors of more
        features than cells would explain all the rest without noise, and the evidence be endless.
    """
    centre = np.eye(len(codes)) - 1 / len(codes)
    power, axes = np.linalg.eigh(centre @ gram @ centre)
    kept = power > max(power[-1], 0) * NOTHING
    targets = (codes[:, None] == np.unique(codes)).astype(np.float64)
    targets -= targets.mean(axis=0)
    along = axes[:, kept].T @ targets  # (axes, classes)
    beside = np.maximum(np.square(targets).sum(axis=0) - np.square(along).sum(axis=0), 0)
    return float(_largest(power[kept], along, beside, len(codes) - 1).mean() / len(codes))


def _largest(power: np.ndarray, along: np.ndarray, beside: np.ndarray, n: int) -> np.ndarray:
    """Log evidence of each class at its fixed point, (classes,).

    ``power``, (axes,), are squared singular values; ``along``, (axes, classes), is the target on
    each axis, ``beside``, (classes,), the square of what lies on none; ``n`` degrees of freedom.
    """
    s2 = power[:, None]
    alpha, beta = np.ones(along.shape[1]), np.ones(along.shape[1])  # of weights, of noise
    for _ in range(STEPS):
        shrunk = alpha + beta * s2
        gamma = (beta * s2 / shrunk).sum(axis=0)  # directions that the data determine
        size, missed = _fit(s2, along, beside, alpha, beta)
        before = alpha / beta
        alpha = np.minimum(gamma / np.maximum(size, 1 / WIDEST), WIDEST)
        beta = np.minimum((n - gamma) / np.maximum(missed, n / WIDEST), WIDEST)
        if np.all(np.abs(alpha / beta - before) <= CLOSE * before):
            break
    size, missed = _fit(s2, along, beside, alpha, beta)
    shrunk = alpha + beta * s2
    spread = len(power) * np.log(alpha) + n * np.log(beta / (2 * np.pi))
    return (spread - beta * missed - alpha * size - np.log(shrunk).sum(axis=0)) / 2


def _fit(
    s2: np.ndarray, along: np.ndarray, beside: np.ndarray, alpha: np.ndarray, beta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Squared length of the mean weights, and squared residual, each (classes,)."""
    shrunk = alpha + beta * s2
    size = (s2 * np.square(beta * along / shrunk)).sum(axis=0)
    return size, np.square(alpha * along / shrunk).sum(axis=0) + beside


def _halves(sample: Sample, rng: np.random.Generator) -> list[np.ndarray]:
    """Random halves of the cells, or of the groups; each with two classes at least."""
    unit, n = units_of(sample)
    out: list[np.ndarray] = []
    while len(out) < HALVES:
        half = np.flatnonzero(np.isin(unit, rng.permutation(n)[: n // 2]))
        if len(np.unique(sample.codes[half])) > 1:
            out.append(half)
    return out


LOGME = ProbeInfo(
    "logme", "LogME", "log evidence a cell (nats)", False, "You et al. 2021, arXiv 2102.11005", run
)
