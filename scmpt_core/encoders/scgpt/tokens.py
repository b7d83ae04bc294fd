"""Cells → scGPT's token ids and binned values.

Follows upstream's ``DataCollator`` and ``binning`` (scgpt 0.2.4): the non-zero genes of the
vocabulary, values binned within the cell into 1 … ``n_bins - 1`` by the quantiles of its
non-zero values; a value that equals several quantile edges falls uniformly into one of their
bins; a cell with more genes than fit keeps a random subset. Upstream draws both from a global
generator; here they come from :mod:`scmpt_core.seeds`, so a cell always gets the same input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from scmpt_core.seeds import cell_seeds, draw, mix, uniform

if TYPE_CHECKING:
    from scmpt_core.cells import Cells
    from scmpt_core.encoders.base import LongCells

DIGIT = 11  # bits sorted by a pass
RADIX = 1 << DIGIT


@dataclass(frozen=True)
class TokenRows:
    """Ragged tokens of many cells."""

    indptr: np.ndarray  # (cells + 1,)
    ids: np.ndarray  # (tokens,) int64 vocabulary ids, rising within a cell
    values: np.ndarray  # (tokens,) int64 bins

    @property
    def lengths(self) -> np.ndarray:
        """Tokens per cell, (cells,)."""
        return np.diff(self.indptr)


class GeneTokens:
    """Tokens of any of ``cells``, made when asked for.

    Parameters
    ----------
    vocabulary
        Symbol → id; other genes are left out before binning.
    max_genes
        Genes a cell may have.
    long_cells
        What a cell with more keeps; see :class:`~scmpt_core.encoders.base.EncoderOptions`.
    """

    def __init__(
        self,
        cells: Cells,
        vocabulary: dict[str, int],
        n_bins: int,
        max_genes: int,
        long_cells: LongCells = "random",
    ) -> None:
        self.cells, self.n_bins, self.highest = cells, n_bins, long_cells == "highest"
        self.gene_ids = np.array([vocabulary.get(g, -1) for g in cells.genes], dtype=np.int64)
        self.indptr = cells.expression.indptr.astype(np.int64)
        self.indices = cells.expression.indices.astype(np.int64)
        self.seeds = cell_seeds(cells)
        known = np.concatenate([[0], np.cumsum(self.gene_ids[self.indices] >= 0)])
        self.lengths = np.minimum(np.diff(known[self.indptr]), max_genes)  # (cells,)

    def rows(self, which: np.ndarray, cls: tuple[int, int] | None = None) -> TokenRows:
        """Tokens of the cells ``which``; with ``cls`` (id, value) that token first in each."""
        extra = int(cls is not None)
        indptr = np.concatenate([[0], np.cumsum(self.lengths[which] + extra)])
        ids, values = np.empty((2, indptr[-1]), dtype=np.int64)
        if cls is not None:
            ids[indptr[:-1]], values[indptr[:-1]] = cls
        _fill(
            np.asarray(which, np.int64), self.indptr, self.indices, self.cells.expression.data,
            self.gene_ids, self.cells.gene_hashes, self.seeds, self.n_bins, self.highest,
            indptr[:-1] + extra, indptr[1:], ids, values,
        )  # fmt: skip
        return TokenRows(indptr, ids, values)


@numba.njit(cache=True, nogil=True)
def _fill(
    which, x_indptr, x_indices, x_data, gene_ids, gene_hashes, seeds, n_bins, highest,
    starts, ends, ids, values,
):  # fmt: skip
    most = 0
    for cell in which:
        most = max(most, x_indptr[cell + 1] - x_indptr[cell])
    genes, scratch = np.empty(most, np.int64), np.empty(most, np.int64)
    order, bins = np.empty(most, np.int64), np.empty(most, np.int64)
    keys, counts = np.empty(most, np.uint32), np.empty(RADIX, np.int64)
    row = np.empty(most, np.float32)
    edges = np.empty(n_bins - 1)
    for i in range(len(which)):
        start, end = x_indptr[which[i]], x_indptr[which[i] + 1]
        room = ends[i] - starts[i]
        if room == 0:
            continue
        seed = seeds[which[i]]
        n = 0
        for j in range(start, end):
            if gene_ids[x_indices[j]] >= 0:
                genes[n], row[n], order[n] = x_indices[j], x_data[j], n
                n += 1
        keys[:n] = row[:n].view(np.uint32)  # positive floats rise with their bits
        _radix(keys, order[:n], scratch, counts, 3)
        _quantiles(row, order[:n], edges)
        _bin(row, order[:n], edges, genes, gene_hashes, seed, bins)
        kept = order[:n] if room == n else _kept(row, genes[:n], gene_hashes, seed, room, highest)
        for k in range(room):
            keys[kept[k]] = gene_ids[genes[kept[k]]]
        _radix(keys, kept, scratch, counts, 2)
        for k in range(room):
            ids[starts[i] + k] = keys[kept[k]]
            values[starts[i] + k] = bins[kept[k]]


@numba.njit(cache=True, nogil=True)
def _radix(keys, order, scratch, counts, passes):
    """Sort ``order`` by ``keys[order]``, ``DIGIT`` bits a pass; a stable counting sort each."""
    n = len(order)
    for p in range(passes):
        shift = np.uint32(DIGIT * p)
        counts[:] = 0
        for j in range(n):
            counts[(keys[order[j]] >> shift) & np.uint32(RADIX - 1)] += 1
        total = 0
        for d in range(RADIX):
            total, counts[d] = total + counts[d], total
        for j in range(n):
            digit = (keys[order[j]] >> shift) & np.uint32(RADIX - 1)
            scratch[counts[digit]] = order[j]
            counts[digit] += 1
        order[:] = scratch[:n]


@numba.njit(cache=True, nogil=True)
def _quantiles(row, order, edges):
    """``np.quantile`` at evenly spaced points, to the last bit (numba's own rounds otherwise).

    The last bit decides: whether a value equals an edge decides which bins it may fall into.
    """
    n, step = len(order), 1.0 / (len(edges) - 1)
    for k in range(len(edges)):
        q = 1.0 if k == len(edges) - 1 else k * step
        place = (n - 1) * q
        low = int(np.floor(place))
        below, above = float(row[order[low]]), float(row[order[min(low + 1, n - 1)]])
        t, span = place - low, above - below
        edges[k] = above - span * (1 - t) if t >= 0.5 else below + span * t


@numba.njit(cache=True, nogil=True)
def _bin(row, order, edges, genes, gene_hashes, seed, bins):
    """Bin of each value: between its first edge and its last, drawn where they differ."""
    low = high = 0  # edges below the value; edges not above it
    for j in order:  # values rise, so both only move up
        while low < len(edges) and edges[low] < row[j]:
            low += 1
        high = max(high, low)
        while high < len(edges) and edges[high] <= row[j]:
            high += 1
        bins[j] = high
        if high > low:
            u = uniform(draw(seed, gene_hashes[genes[j]]))
            bins[j] = int(np.ceil(u * (low - high) + high))


@numba.njit(cache=True, nogil=True)
def _kept(row, genes, gene_hashes, seed, room, highest):
    """Positions of ``room`` genes: by a draw of their own, or by value and then that draw."""
    bits = np.empty(len(genes), np.uint64)
    for j in range(len(genes)):
        bits[j] = draw(mix(seed), gene_hashes[genes[j]])  # independent of the binning's draw
    by_draw = np.argsort(bits)
    if not highest:
        return by_draw[:room].copy()
    return by_draw[np.argsort(-row[by_draw], kind="mergesort")][:room].copy()  # stable
