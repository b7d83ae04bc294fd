"""Deviance from the known types' profiles: genes that no type expresses so much, or so little."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from scmpt_core.cells import Cells
from scmpt_core.unknown.base import Context, DetectorInfo, State, nothing

OVERALL = 0.01  # share of the average cell in each profile, for genes a type was not seen with
FLOOR = 1e-8  # share of a gene that training cells did not express


@dataclass(frozen=True, eq=False)
class Profiles:
    """Mean composition of each type, and how deviance goes with the number of genes.

    Parameters
    ----------
    genes
        Symbols, (genes,).
    profiles
        Share of each gene in a cell's expression, (classes, genes) float32, rows sum to 1.
    detection
        Share of the training cells that express each gene, (genes,) float32.
    curve
        Coefficients of the deviance on 1, t and t², where t is the log of the number of expressed
        genes; (3,).
    limits
        Lowest and highest t in training, (2,): beyond it the curve is level.
    """

    genes: np.ndarray
    profiles: np.ndarray
    detection: np.ndarray
    curve: np.ndarray
    limits: np.ndarray

    def score(self, context: Context) -> np.ndarray:
        """Deviance from the nearest profile less what is usual for so many genes, (cells,)."""
        deviance, t = self.deviance(context.cells)
        return deviance - _powers(np.clip(t, *self.limits)) @ self.curve

    def deviance(self, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Deviance in nats and t, (cells,) each, over the genes that training measured too.

        Profiles are made to sum to 1 over those. A cell of which only a part is measured
        expresses fewer genes for that reason alone, so their number is divided by the share that
        a training cell would have kept.
        """
        place = {gene: i for i, gene in enumerate(self.genes)}
        theirs = np.array([place.get(gene, -1) for gene in cells.genes], dtype=np.int64)
        shared = np.flatnonzero(theirs >= 0)
        here = theirs[shared]
        profiles = self.profiles[:, here].astype(np.float64) + FLOOR
        profiles /= profiles.sum(axis=1, keepdims=True)
        kept = self.detection[here].sum(dtype=np.float64) / self.detection.sum(dtype=np.float64)
        expression = cells.expression[:, shared]
        expressed = np.diff(expression.indptr)
        return nearest_deviance(composition(expression), profiles), np.log1p(
            expressed / max(kept, FLOOR)
        )

    def state(self) -> State:
        """All but the genes."""
        return {k: v for k, v in vars(self).items() if k != "genes"}


def composition(expression: sp.csr_matrix) -> sp.csr_matrix:
    """Log expression, (cells, genes) → shares on the linear scale, float64; rows sum to 1 or 0."""
    linear = sp.csr_matrix(expression, dtype=np.float64)
    linear.data = np.expm1(linear.data)
    total = np.asarray(linear.sum(axis=1)).ravel()
    linear.data /= np.repeat(np.maximum(total, 1e-12), np.diff(linear.indptr))
    return linear


def nearest_deviance(shares: sp.csr_matrix, profiles: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence of each cell from the profile that it is nearest to, (cells,)."""
    entropy = shares.copy()
    entropy.data *= np.log(entropy.data)
    cross = shares @ np.log(profiles).T  # (cells, classes)
    return np.asarray(entropy.sum(axis=1)).ravel() - cross.max(axis=1)


def _powers(t: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(t), t, t**2], axis=1)


def fit_profiles(train: Context, codes: np.ndarray, _seed: int) -> Profiles:
    """Profiles of the types and the curve of their own cells; nothing is random."""
    cells = train.cells
    shares = composition(cells.expression)
    member = sp.csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))))
    sums = (member @ shares).toarray()  # (classes, genes)
    types, overall = sums / np.bincount(codes)[:, None], sums.sum(axis=0) / len(codes)
    profiles = ((1 - OVERALL) * types + OVERALL * overall).astype(np.float32)
    detection = np.bincount(cells.expression.indices, minlength=len(cells.genes)) / len(cells)
    level = Profiles(cells.genes, profiles, detection.astype(np.float32), np.zeros(3), np.zeros(2))
    deviance, t = level.deviance(cells)
    curve = np.linalg.lstsq(_powers(t), deviance, rcond=None)[0]
    return replace(level, curve=curve, limits=np.array([t.min(), t.max()]))


def _restore(state: State, genes: np.ndarray) -> Profiles:
    return Profiles(genes, **state)


PROFILE = DetectorInfo(
    name="profile",
    summary="expresses genes in shares that no known type has",
    reference="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    lacks=nothing,
    fit=fit_profiles,
    restore=_restore,
)
