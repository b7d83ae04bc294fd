"""Energy: how little a linear classifier on the principal components speaks for any type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from scmpt_core.unknown.base import Context, DetectorInfo, State

C = 0.1  # scikit-learn's inverse strength of L2, on scores whose mean square is 1
STEPS = 500


@dataclass(frozen=True, eq=False)
class Energy:
    """A linear classifier of the known types.

    Parameters
    ----------
    weights, intercept
        (components, classes) and (classes,).
    """

    weights: np.ndarray
    intercept: np.ndarray

    def score(self, context: Context) -> np.ndarray:
        """−log Σ exp(logit), (cells,)."""
        return -logsumexp(context.pcs @ self.weights + self.intercept, axis=1)

    def state(self) -> State:
        """Weights and intercept."""
        return {"weights": self.weights, "intercept": self.intercept}


def _lacks(_train: Context, codes: np.ndarray) -> str:
    return "" if len(np.unique(codes)) > 1 else "training cells of two types"


def fit_energy(train: Context, codes: np.ndarray, _seed: int) -> Energy:
    """Multinomial logistic regression; nothing is random."""
    x = train.pcs.astype(np.float64)
    scale = max(float(np.sqrt(np.square(x).mean())), 1e-6)
    model = LogisticRegression(C=C, max_iter=STEPS).fit(x / scale, codes)
    weights, intercept = model.coef_.T / scale, model.intercept_
    if weights.shape[1] == 1:  # of two types scikit-learn keeps the difference only
        weights = np.concatenate([-weights, weights], axis=1) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    return Energy(weights, intercept)


def _restore(state: State, _genes: np.ndarray) -> Energy:
    return Energy(state["weights"], state["intercept"])


ENERGY = DetectorInfo(
    name="energy",
    summary="carries too little of what marks any known type",
    reference="Liu et al. 2020, arXiv:2010.03759",
    lacks=_lacks,
    fit=fit_energy,
    restore=_restore,
)
