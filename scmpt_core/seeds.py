"""Chance that belongs to a cell, not to its place in a file or batch.

Ties between equally expressed genes have to be broken somehow. Column order would leak the
file's order into the model, and a global generator would make a cell's answer depend on its
neighbours. So each draw is a hash of the *cell's content* (the set of genes it expresses) and
the *gene's symbol*: the same cell gives the same draws in any file, batch or order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from scmpt_core.cells import Cells


@numba.njit(inline="always", nogil=True)
def mix(x: np.uint64) -> np.uint64:
    """Finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@numba.njit(nogil=True)
def content_seed(indices: np.ndarray, gene_hashes: np.ndarray) -> np.uint64:
    """Seed of one cell from its expressed genes; a sum, so their order does not matter."""
    total = np.uint64(0)
    for gene in indices:
        total += mix(gene_hashes[gene])
    return mix(total)


def cell_seeds(cells: Cells) -> np.ndarray:
    """Seed of each cell, (cells,) uint64: its ``tie_seeds`` where given, else from its content."""
    if cells.tie_seeds is not None:
        return cells.tie_seeds
    x = cells.expression
    return _content_seeds(x.indptr, x.indices, cells.gene_hashes)


@numba.njit(nogil=True)
def _content_seeds(indptr: np.ndarray, indices: np.ndarray, gene_hashes: np.ndarray) -> np.ndarray:
    out = np.empty(len(indptr) - 1, np.uint64)
    for cell in range(len(out)):
        out[cell] = content_seed(indices[indptr[cell] : indptr[cell + 1]], gene_hashes)
    return out


@numba.njit(inline="always", nogil=True)
def draw(seed: np.uint64, gene_hash: np.uint64) -> np.uint64:
    """64 random bits that belong to one gene of one cell."""
    return mix(seed ^ gene_hash)


@numba.njit(inline="always", nogil=True)
def uniform(bits: np.uint64) -> float:
    """Map 64 bits to [0, 1)."""
    return (bits >> np.uint64(11)) * (1.0 / 9007199254740992.0)
