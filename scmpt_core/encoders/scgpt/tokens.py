"""Cells → scGPT's token ids and binned values.

Follows upstream's ``DataCollator`` and ``binning`` (scgpt 0.2.4): the non-zero genes of the
vocabulary, values binned within the cell into 1 … ``n_bins - 1`` by the quantiles of its
non-zero values; a value that equals several quantile edges falls uniformly into one of their
bins; a cell with more genes than fit keeps a random subset. Upstream draws both from a global
generator; here they come from :mod:`scmpt_core.seeds`, so a cell always gets the same input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.seeds import content_seed, draw, mix, uniform


@dataclass(frozen=True)
class TokenRows:
    """Ragged tokens of many cells, ``<cls>`` not included."""

    indptr: np.ndarray  # (cells + 1,)
    ids: np.ndarray  # (tokens,) int64 vocabulary ids, rising within a cell
    values: np.ndarray  # (tokens,) float32 bins

    @property
    def lengths(self) -> np.ndarray:
        """Genes per cell, (cells,)."""
        return np.diff(self.indptr)


def tokenise(cells: Cells, vocabulary: dict[str, int], n_bins: int, max_genes: int) -> TokenRows:
    """Token rows of ``cells``; genes outside ``vocabulary`` are left out before binning."""
    gene_ids = np.array([vocabulary.get(g, -1) for g in cells.genes], dtype=np.int64)
    x = cells.expression
    known = np.add.reduceat(
        np.append(gene_ids[x.indices] >= 0, False).astype(np.int64), x.indptr[:-1]
    ) * (np.diff(x.indptr) > 0)  # reduceat returns a neighbour's value for empty rows
    indptr = np.concatenate([[0], np.cumsum(np.minimum(known, max_genes))])
    ids = np.empty(indptr[-1], dtype=np.int64)
    values = np.empty(indptr[-1], dtype=np.float32)
    _fill(x.indptr, x.indices, x.data, gene_ids, cells.gene_hashes, n_bins, indptr, ids, values)
    return TokenRows(indptr, ids, values)


@numba.njit(cache=True)
def _fill(x_indptr, x_indices, x_data, gene_ids, gene_hashes, n_bins, indptr, ids, values):
    for cell in range(len(indptr) - 1):
        start, end = x_indptr[cell], x_indptr[cell + 1]
        room = indptr[cell + 1] - indptr[cell]
        if room == 0:
            continue
        seed = content_seed(x_indices[start:end], gene_hashes)
        genes = np.empty(end - start, np.int64)
        row = np.empty(end - start, np.float64)
        n = 0
        for j in range(start, end):
            if gene_ids[x_indices[j]] >= 0:
                genes[n] = x_indices[j]
                row[n] = x_data[j]
                n += 1
        genes, row = genes[:n], row[:n]
        edges = _quantiles(np.sort(row), n_bins - 1)
        kept = _kept(genes, gene_hashes, seed, room)
        order = kept[np.argsort(gene_ids[genes[kept]])]
        for k in range(room):
            j = order[k]
            low = np.searchsorted(edges, row[j], side="left")
            high = np.searchsorted(edges, row[j], side="right")
            u = uniform(draw(seed, gene_hashes[genes[j]]))
            ids[indptr[cell] + k] = gene_ids[genes[j]]
            values[indptr[cell] + k] = np.ceil(u * (low - high) + high)


@numba.njit(cache=True)
def _quantiles(row, count):
    """``np.quantile`` at evenly spaced points, to the last bit (numba's own rounds otherwise).

    The last bit decides: whether a value equals an edge decides which bins it may fall into.
    """
    out = np.empty(count)
    step = 1.0 / (count - 1)
    for k in range(count):
        q = 1.0 if k == count - 1 else k * step
        place = (len(row) - 1) * q
        low = int(np.floor(place))
        high = min(low + 1, len(row) - 1)
        t, span = place - low, row[high] - row[low]
        out[k] = row[high] - span * (1 - t) if t >= 0.5 else row[low] + span * t
    return out


@numba.njit(cache=True)
def _kept(genes, gene_hashes, seed, room):
    """Positions of a random subset of ``room`` genes (all of them where they fit)."""
    if room == len(genes):
        return np.arange(room)
    bits = np.empty(len(genes), np.uint64)
    for j in range(len(genes)):
        bits[j] = draw(mix(seed), gene_hashes[genes[j]])  # independent of the binning's draw
    return np.argsort(bits)[:room]


def pad_batch(
    rows: TokenRows, which: np.ndarray, cls_id: int, pad_id: int, pad_value: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dense ids, values and padding mask, each (cells, 1 + longest); ``<cls>`` first."""
    width = 1 + int(rows.lengths[which].max(initial=0))
    ids = np.full((len(which), width), pad_id, dtype=np.int64)
    values = np.full((len(which), width), pad_value, dtype=np.float32)
    ids[:, 0] = cls_id
    for i, cell in enumerate(which):
        start, end = rows.indptr[cell], rows.indptr[cell + 1]
        ids[i, 1 : 1 + end - start] = rows.ids[start:end]
        values[i, 1 : 1 + end - start] = rows.values[start:end]
    return ids, values, ids == pad_id
