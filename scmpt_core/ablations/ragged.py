"""Chance and order over the expressed genes of many cells at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np
import scipy.sparse as sp

from scmpt_core.cells import Cells
from scmpt_core.seeds import cell_seeds, draw, mix, uniform
from scmpt_core.sentences import rank_genes


@dataclass(frozen=True, eq=False)
class Ranked:
    """The expressed genes of all cells in the order of their sentences, one after the other.

    Parameters
    ----------
    genes
        Columns, (expressed,).
    rows
        The cell that each belongs to, (expressed,).
    places
        Its place in that cell's sentence, from 0, (expressed,).
    sizes
        Genes of each cell, (cells,).
    """

    genes: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, cells: Cells) -> Ranked:
        """The cells' own order."""
        ranked = rank_genes(cells)
        sizes = np.diff(ranked.indptr)
        rows = np.repeat(np.arange(len(sizes)), sizes)
        places = np.arange(len(ranked.genes)) - ranked.indptr[:-1][rows]
        return cls(ranked.genes, rows, places, sizes)

    @property
    def indptr(self) -> np.ndarray:
        """Where each cell starts, (cells + 1,)."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    def chance(self, cells: Cells, seed: int) -> np.ndarray:
        """A draw from [0, 1) for each gene of each cell, (expressed,)."""
        return chance(self.indptr, self.genes, cells, seed)

    def reordered(self, movable: np.ndarray, key: np.ndarray) -> Ranked:
        """The genes at ``movable`` places, (expressed,) bool, sorted by rising ``key`` there.

        The others stay where they are.
        """
        at = np.flatnonzero(movable)
        order = np.lexsort((key[at], self.rows[at]))
        genes = self.genes.copy()
        genes[at] = self.genes[at[order]]
        return replace(self, genes=genes)

    def cells(self, like: Cells, names: np.ndarray | None = None) -> Cells:
        """Cells whose sentences have exactly this order, under ``names`` if given.

        Their values are places from behind, not expression: for text encoders only.
        """
        values = (self.sizes[self.rows] - self.places).astype(np.float32)
        matrix = sp.csr_matrix((values, self.genes, self.indptr), shape=like.expression.shape)
        made = replace(like, expression=matrix, counts=None, tie_seeds=cell_seeds(like))
        return made if names is None else renamed(made, names)


def chance(indptr: np.ndarray, genes: np.ndarray, cells: Cells, seed: int) -> np.ndarray:
    """A draw from [0, 1) for each of the ragged columns ``genes``, from cell, gene and seed."""
    salt = np.frombuffer(np.random.default_rng(seed).bytes(8), np.uint64)[0]
    return _chance(
        indptr.astype(np.int64), genes.astype(np.int64), cells.gene_hashes, cell_seeds(cells), salt
    )


def gene_chance(cells: Cells, seed: int) -> np.ndarray:
    """A draw from [0, 1) for each gene, the same in all cells, (genes,)."""
    one = np.array([0, len(cells.genes)])
    salt = np.frombuffer(np.random.default_rng(seed).bytes(8), np.uint64)[0]
    everywhere = np.zeros(1, np.uint64)
    return _chance(one, np.arange(len(cells.genes)), cells.gene_hashes, everywhere, salt)


@numba.njit(cache=True, nogil=True)
def _chance(indptr, genes, gene_hashes, seeds, salt):
    out = np.empty(len(genes))
    for cell in range(len(indptr) - 1):
        seed = mix(seeds[cell] + mix(salt))
        for j in range(indptr[cell], indptr[cell + 1]):
            out[j] = uniform(draw(seed, gene_hashes[genes[j]]))
    return out


def rows_of(cells: Cells) -> np.ndarray:
    """The cell that each stored value belongs to, (expressed,)."""
    return np.repeat(np.arange(len(cells)), np.diff(cells.expression.indptr))


def kept(cells: Cells, keep: np.ndarray) -> Cells:
    """Cells with only some of their values, (expressed,) bool; ties stay in their order."""
    x = cells.expression
    indptr = np.concatenate([[0], np.cumsum(keep)])[x.indptr]
    matrix = sp.csr_matrix((x.data[keep], x.indices[keep], indptr), shape=x.shape)
    made = replace(cells, expression=matrix, counts=None, tie_seeds=cell_seeds(cells))
    made.__dict__["gene_hashes"] = cells.gene_hashes  # the same genes: not hashed again
    return made


def with_values(cells: Cells, values: np.ndarray) -> Cells:
    """Cells with other values of the same genes, (expressed,); ties stay in their order."""
    x = cells.expression
    matrix = sp.csr_matrix((values.astype(np.float32), x.indices, x.indptr), shape=x.shape)
    made = replace(cells, expression=matrix, counts=None, tie_seeds=cell_seeds(cells))
    made.__dict__["gene_hashes"] = cells.gene_hashes
    return made


def renamed(cells: Cells, names: np.ndarray) -> Cells:
    """Cells whose genes have other names, (genes,), unique."""
    made = replace(cells, genes=names, tie_seeds=cell_seeds(cells))
    made.__dict__.pop("gene_hashes", None)
    return made
