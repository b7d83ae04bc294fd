"""Relative Mahalanobis distance: off every known type, in directions that types seldom take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.covariance import LedoitWolf

from scmpt_core.unknown.base import Context, DetectorInfo, State, class_means, nothing


@dataclass(frozen=True, eq=False)
class Mahalanobis:
    """One normal distribution a type, of the same shape, against one of all cells.

    Parameters
    ----------
    means
        Of the types, (classes, components).
    within, overall
        Inverse covariances around the types' means and around the mean of all, (components,
        components), shrunk as Ledoit and Wolf 2004 (doi:10.1016/S0047-259X(03)00096-4).
    centre
        Mean of all cells, (components,).
    """

    means: np.ndarray
    within: np.ndarray
    centre: np.ndarray
    overall: np.ndarray

    def score(self, context: Context) -> np.ndarray:
        """Squared distance from the nearest type less that from all cells, (cells,)."""
        x = context.pcs.astype(np.float64)
        nearest = np.min([_squared(x - mean, self.within) for mean in self.means], axis=0)
        return nearest - _squared(x - self.centre, self.overall)

    def state(self) -> State:
        """Means and inverse covariances."""
        return dict(vars(self))


def _squared(x: np.ndarray, precision: np.ndarray) -> np.ndarray:
    return np.einsum("cd,cd->c", x @ precision, x)


def fit_mahalanobis(train: Context, codes: np.ndarray, _seed: int) -> Mahalanobis:
    """Means and covariances; nothing is random."""
    x = train.pcs.astype(np.float64)
    means, centre = class_means(x, codes), x.mean(axis=0)
    return Mahalanobis(means, _precision(x - means[codes]), centre, _precision(x - centre))


def _precision(centred: np.ndarray) -> np.ndarray:
    return LedoitWolf(assume_centered=True).fit(centred).precision_


def _restore(state: State, _genes: np.ndarray) -> Mahalanobis:
    return Mahalanobis(**state)


MAHALANOBIS = DetectorInfo(
    name="mahalanobis",
    summary="lies off every known type, even for how far it lies from the average cell",
    reference="Ren et al. 2021, arXiv:2106.09022",
    lacks=nothing,
    fit=fit_mahalanobis,
    restore=_restore,
)
