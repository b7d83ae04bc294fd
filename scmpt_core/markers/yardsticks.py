"""Two orders of genes that need no model, as scores: what attribution has to be better than."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.stats import rankdata

from scmpt_core.data.ranked import z_scores


def differential_expression(
    expression: sp.csr_matrix, codes: np.ndarray, classes: int
) -> np.ndarray:
    """Rank-sum z of each class against all other cells, (classes, genes).

    That of :func:`scmpt_core.data.ranked.z_scores`, scanpy's ``rank_genes_groups`` by Wilcoxon.

    Parameters
    ----------
    expression
        Log-normalised, (cells, genes): the training cells.
    codes
        Class of each cell, (cells,), 0 … ``classes`` − 1.

    Raises
    ------
    ValueError
        There is not one code a cell, a code is no class, or a class has no cell or all of them.
    """
    inside = _inside(expression, codes, classes)
    return z_scores(sp.csc_matrix(expression, dtype=np.float64), inside)


def mean_expression(expression: sp.csr_matrix, codes: np.ndarray, classes: int) -> np.ndarray:
    """Mean expression of each gene in each class, (classes, genes): the highest expressed first.

    Raises
    ------
    ValueError
        As :func:`differential_expression`.
    """
    inside = _inside(expression, codes, classes)
    sizes = np.asarray(inside.sum(axis=1))  # (classes, 1)
    return (inside @ sp.csr_matrix(expression, dtype=np.float64)).toarray() / sizes


def expression_ranks(expression: sp.csr_matrix) -> np.ndarray:
    """Mean over the cells of each gene's rank in the cell, (genes,); 1 is the most expressed.

    Equals share the mean of their ranks; so do all genes that a cell does not express.

    Raises
    ------
    ValueError
        There are no cells.
    """
    cells, genes = expression.shape
    if not cells:
        raise ValueError("the ranks of no cells were asked for")
    total = np.zeros(genes)
    for start, end in zip(expression.indptr[:-1], expression.indptr[1:], strict=True):
        columns, values = expression.indices[start:end], expression.data[start:end]
        columns, values = columns[values > 0], values[values > 0]
        rest = (len(columns) + 1 + genes) / 2  # the mean rank of those not expressed
        total += rest
        total[columns] += rankdata(-values) - rest
    return total / cells


def _inside(expression: sp.csr_matrix, codes: np.ndarray, classes: int) -> sp.csr_matrix:
    """1 where a cell is of a class, (classes, cells)."""
    n = expression.shape[0]
    if len(codes) != n:
        raise ValueError(f"{len(codes)} codes for {n} cells")
    sizes = np.bincount(codes, minlength=classes)
    if len(sizes) != classes or not (sizes.min() > 0 and sizes.max() < n):
        raise ValueError(f"classes with no cell, or with all: {sizes.tolist()} of {n} cells")
    return sp.csr_matrix((np.ones(n), (codes, np.arange(n))), shape=(classes, n))
