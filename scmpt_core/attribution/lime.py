"""LIME (Ribeiro et al. 2016, doi:10.1145/2939672.2939778): a linear model of which genes are there.

Numbers are those of the ``lime`` package's text explainer (kernel width 25 on 100 × cosine
distance, ridge of 1, first sample the cell itself), for all ways and in batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scmpt_core.attribution.base import CellScores, MethodInfo, Options
from scmpt_core.attribution.subject import Subject
from scmpt_core.seeds import cell_seeds

KERNEL_WIDTH = 25.0
RIDGE = 1.0


def explain(subject: Subject, target: int, options: Options, seed: int) -> dict[str, CellScores]:
    """Fit to ``options.samples`` perturbed cells; the draws belong to the cell and ``seed``."""
    rng = np.random.default_rng([seed, int(cell_seeds(subject.cell)[0])])
    present = sample(len(subject.columns), options.samples, rng)
    logits = subject.logits(present)
    values = np.stack([logits[way.name][:, target] for way in subject.ways], axis=1)
    fit, alike = fit_lime(present, values), halves(present, values)
    return {
        way.name: CellScores(
            fit.weights[:, i],
            {
                "r2": float(fit.r2[i]),
                "r2_left_out": float(fit.r2_left_out[i]),
                "halves": float(alike[i]),
                "evaluations": float(len(present)),
            },
        )
        for i, way in enumerate(subject.ways)
    }


def sample(genes: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """``n`` sets of genes that stay, (n, genes) bool; the first is all.

    The number taken out is uniform over 1 … ``genes``, and so are the genes, given the number.
    """
    present = np.ones((n, genes), dtype=bool)
    out = rng.integers(1, genes + 1, size=n - 1)  # (n − 1,)
    order = rng.random((n - 1, genes)).argsort(axis=1).argsort(axis=1)  # a place in line each
    present[1:] = order >= out[:, None]
    return present


@dataclass(frozen=True, eq=False)
class LimeFit:
    """The linear model of each output.

    Parameters
    ----------
    weights
        Of the genes, (genes, outputs).
    r2
        Weighted R², (outputs,), on the samples that it was fitted to: the package's figure. With
        as many genes as samples it nears 1 for pure noise.
    r2_left_out
        The same of samples that each was left out of the fit, exact; at 0 or below, the weights
        say nothing.
    """

    weights: np.ndarray
    r2: np.ndarray
    r2_left_out: np.ndarray


def fit_lime(present: np.ndarray, values: np.ndarray) -> LimeFit:
    """Weighted ridge regression of ``values``, (samples, outputs), on ``present``.

    The intercept is not penalised; the first sample is the cell itself, and samples count by
    how near they are to it.
    """
    x = present.astype(float)
    kept = x.mean(axis=1)
    distance = 100 * (1 - np.sqrt(kept))  # cosine distance of a 0/1 vector to all ones
    nearness = np.exp(-(distance**2) / KERNEL_WIDTH**2)
    weight = np.sqrt(nearness)  # as the package has it
    total = weight.sum()
    x_mean, y_mean = weight @ x / total, weight @ values / total
    centred, target = x - x_mean, values - y_mean
    gram = (centred * weight[:, None]).T @ centred
    gram[np.diag_indices_from(gram)] += RIDGE
    solved = np.linalg.solve(gram, centred.T)  # (genes, samples)
    weights = solved @ (weight[:, None] * target)
    error = target - centred @ weights
    share = weight / total  # the intercept's part of a sample's say in its own prediction
    own = share + weight * np.einsum("ij,ji->i", centred, solved)
    return LimeFit(
        weights,
        _r2(weight, error, target),
        _r2(weight, error / (1 - own)[:, None], target / (1 - share)[:, None]),
    )


def _r2(weight: np.ndarray, error: np.ndarray, spread: np.ndarray) -> np.ndarray:
    missed, total = weight @ error**2, weight @ spread**2
    return 1 - np.divide(missed, total, out=np.ones_like(total), where=total > 0)


def halves(present: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How alike two fits are, each to half of the samples: Pearson's r of the weights, (outputs,).

    0 where one half's weights are all equal. More samples make it rise; it says, without a second
    seed, how much of the weights is chance.
    """
    first, second = (fit_lime(present[i::2], values[i::2]).weights for i in (0, 1))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    sizes = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    return np.divide((first * second).sum(axis=0), sizes, out=np.zeros_like(sizes),
                     where=sizes > 0)  # fmt: skip


LIME = MethodInfo(
    "lime", "LIME",
    "genes are taken out at random; a linear model says what each adds near the cell",
    "Ribeiro et al. 2016, doi:10.1145/2939672.2939778", True, False, explain,
)  # fmt: skip
