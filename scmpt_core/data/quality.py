"""Quality of each cell: its total, its genes, its mitochondrial and ribosomal share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

NMADS = 3  # outliers: this many median absolute deviations (scater's isOutlier, McCarthy 2017)
STRESSED = 0.1  # a mitochondrial share up to here is never called unusual


@dataclass(frozen=True, eq=False)
class Quality:
    """One value a cell, each (cells,).

    Parameters
    ----------
    total
        Sum over genes: of counts where ``counted``, otherwise of the linear normalised values.
    genes
        Number of genes above zero.
    mitochondrial, ribosomal
        Share of the total, 0–1; 0 for empty cells.
    """

    total: np.ndarray
    genes: np.ndarray
    mitochondrial: np.ndarray
    ribosomal: np.ndarray
    counted: bool

    @property
    def fewest_genes(self) -> int:
        """Cells with fewer genes than this are outliers (3 median absolute deviations, in log)."""
        low, _ = _bounds(np.log1p(self.genes))
        return int(np.ceil(np.expm1(low) - 1e-6))  # log and back is off in the last digits

    @property
    def highest_mito(self) -> float:
        """A share above this is an outlier and above 10 %."""
        return min(max(_bounds(self.mitochondrial)[1], STRESSED), 1.0)


def quality(
    expression: sp.csr_matrix,
    symbols: np.ndarray,
    counts: sp.csr_matrix | None = None,
    base2: bool = False,
) -> Quality:
    """Judge each cell of log-normalised ``expression``, (cells, genes).

    ``base2``: its logarithms are to base 2, not natural ones.
    """
    linear = counts
    if linear is None:
        values = np.exp2(expression.data) - 1 if base2 else np.expm1(expression.data)
        linear = sp.csr_matrix((values, expression.indices, expression.indptr), expression.shape)
    total = np.asarray(linear.sum(axis=1, dtype=np.float64)).ravel()
    shares = [_share(linear, symbols, p, total) for p in (("MT-",), ("RPS", "RPL"))]
    return Quality(total, np.diff(expression.indptr), *shares, counted=counts is not None)


def _share(
    linear: sp.csr_matrix, symbols: np.ndarray, prefixes: tuple[str, ...], total: np.ndarray
) -> np.ndarray:
    picked = np.array([g.startswith(prefixes) for g in symbols], dtype=bool)
    part = np.asarray(linear[:, picked].sum(axis=1, dtype=np.float64)).ravel()
    return np.divide(part, total, out=np.zeros_like(total), where=total > 0)


def _bounds(values: np.ndarray) -> tuple[float, float]:
    """Median ± 3 median absolute deviations; without any spread there are no outliers."""
    if not len(values):
        return -np.inf, np.inf
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    if spread == 0:
        return float(values.min()), float(values.max())
    return middle - NMADS * spread, middle + NMADS * spread
