"""Cells → genes ranked by expression.

On count data most neighbours in a ranking are tied, so the ties decide what a text encoder reads;
they are broken by a hash of the cell's content and the symbol (:mod:`scmpt_core.seeds`), never by
column order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.seeds import cell_seeds, draw

VERSION = 1  # raise when a change here alters any sentence: stored embeddings depend on it


@dataclass(frozen=True)
class RankedGenes:
    """Ragged columns of the expressed genes of each cell, highest expression first."""

    indptr: np.ndarray  # (cells + 1,)
    genes: np.ndarray  # (expressed,) columns of the Cells

    def of(self, cell: int) -> np.ndarray:
        """Columns of one cell, in order."""
        return self.genes[self.indptr[cell] : self.indptr[cell + 1]]


def rank_genes(cells: Cells, weights: np.ndarray | None = None) -> RankedGenes:
    """Rank each cell's expressed genes; equal for any order of columns or rows.

    ``weights``, (genes,) positive, multiply the expression that is ranked by.
    """
    x = cells.expression
    values = x.data if weights is None else x.data * weights.astype(np.float32)[x.indices]
    genes = np.empty(x.nnz, dtype=np.int64)
    _rank(
        x.indptr.astype(np.int64), x.indices.astype(np.int64), values, cells.gene_hashes,
        cell_seeds(cells), genes,
    )  # fmt: skip
    return RankedGenes(x.indptr.astype(np.int64), genes)


@numba.njit(cache=True, nogil=True)
def _rank(indptr, indices, data, gene_hashes, seeds, out):
    bits = data.view(np.uint32)  # positive floats rise with their bits
    half = np.uint64(32)
    for cell in range(len(indptr) - 1):
        start, end = indptr[cell], indptr[cell + 1]
        seed = seeds[cell]
        keys, ties = np.empty(end - start, np.uint64), np.empty(end - start, np.uint64)
        for j in range(start, end):
            ties[j - start] = draw(seed, gene_hashes[indices[j]])
            # falling expression in the upper half, the draw in the lower: one sort does both
            keys[j - start] = (np.uint64(~bits[j]) << half) | (ties[j - start] >> half)
        order = np.argsort(keys)
        for k in range(1, end - start):  # the draws' lower halves, should the upper be equal
            j = k
            while (
                j > 0
                and keys[order[j]] == keys[order[j - 1]]
                and (ties[order[j]] < ties[order[j - 1]])
            ):
                order[j], order[j - 1] = order[j - 1], order[j]
                j -= 1
        for k in range(end - start):
            out[start + k] = indices[start + order[k]]
