"""Content: genes, or counts, that are no longer there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from scipy.stats import binom

from scmpt_core.ablations.base import EVERY, AblationInfo, Context, numbers, shares
from scmpt_core.ablations.ragged import Ranked, chance, gene_chance, kept, rows_of
from scmpt_core.cells import Cells
from scmpt_core.housekeeping import is_housekeeping
from scmpt_core.seeds import cell_seeds

Chosen = Callable[[Cells, Context], np.ndarray]  # → of each stored value whether it is chosen


def _only(chosen: Chosen, out: bool) -> Callable[[Cells, Context, float, int], Cells]:
    """Without the chosen values, or with only these."""

    def perturb(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
        return kept(cells, chosen(cells, context) != out)

    return perturb


def _housekeeping(cells: Cells, context: Context) -> np.ndarray:
    return is_housekeeping(cells.genes)[cells.expression.indices]


def _in_set(cells: Cells, context: Context) -> np.ndarray:
    return np.isin(cells.genes, list(context.gene_set))[cells.expression.indices]


def _markers(out: bool) -> Callable[[Cells, Context, float, int], Cells]:
    """Cells without a class, or of one without markers, stay as they are."""

    def perturb(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
        table = np.array([np.isin(cells.genes, list(genes)) for genes in context.markers])
        told = np.append(table.any(axis=1), False)  # the last is −1, no class
        table = np.vstack([table, np.zeros(len(cells.genes), bool)])
        codes = context.codes[rows_of(cells)]
        marker = table[codes, cells.expression.indices]
        return kept(cells, (marker != out) | ~told[codes])

    return perturb


def _any_marker(cells: Cells, context: Context) -> np.ndarray:
    every = frozenset().union(*context.markers)
    return np.isin(cells.genes, list(every))[cells.expression.indices]


def top_n(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
    """Only the ``strength`` highest expressed genes; ties are cut as in the sentence."""
    ranked = Ranked.of(cells)
    place = np.empty(len(ranked.genes), np.int64)
    by_cell = np.lexsort((cells.expression.indices, rows_of(cells)))
    place[by_cell] = ranked.places[np.lexsort((ranked.genes, ranked.rows))]
    return kept(cells, place < strength)


def dropout(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
    """Each expressed gene of each cell lost with probability ``strength``."""
    x = cells.expression
    return kept(cells, chance(x.indptr, x.indices, cells, seed) >= strength)


def panel(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
    """Only a random panel of the genes, the same in all cells."""
    return kept(cells, (gene_chance(cells, seed) < strength)[cells.expression.indices])


def depth(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
    """Each molecule kept with probability ``strength``, then normalised to the sum it had.

    Binomial thinning: the quantile of the count's binomial at the draw of cell and gene.
    """
    counts = cells.counts
    rows = np.repeat(np.arange(len(cells)), np.diff(counts.indptr))
    draws = chance(counts.indptr, counts.indices, cells, seed)
    left = binom.ppf(draws, np.rint(counts.data).astype(np.int64), strength)
    linear = np.bincount(rows_of(cells), np.expm1(cells.expression.data.astype(float)), len(cells))
    factor = linear / np.maximum(np.bincount(rows, left, len(cells)), 1)  # of each cell
    values = np.log1p(left * factor[rows]).astype(np.float32)
    matrix = sp.csr_matrix((values, counts.indices, counts.indptr), shape=counts.shape, copy=True)
    matrix.eliminate_zeros()
    return replace(cells, expression=matrix, counts=None, tie_seeds=cell_seeds(cells))


CONTENT = [
    AblationInfo(
        "top-n", "content", "Only the top genes",
        "only the highest expressed genes of each cell, for every encoder", EVERY,
        numbers("genes kept", 200, 100, 50, 25, 10, default=50), perturb=top_n,
    ),
    AblationInfo(
        "no-housekeeping", "content", "Housekeeping genes out",
        "ribosomal and mitochondrial genes, MALAT1, EEF1 and TPT1 left out", EVERY,
        perturb=_only(_housekeeping, out=True),
    ),
    AblationInfo(
        "no-markers", "content", "The type's markers out",
        "known markers of each cell's own type left out; a refitted head can read the type off "
        "what is missing", EVERY, needs=("markers",), perturb=_markers(out=True),
    ),
    AblationInfo(
        "only-markers", "content", "Only the type's markers",
        "nothing but known markers of each cell's own type: the label leaks into the input, so "
        "it shows what markers can carry and is no test", EVERY, needs=("markers",),
        perturb=_markers(out=False),
    ),
    AblationInfo(
        "no-all-markers", "content", "All markers out",
        "known markers of any of the types left out of every cell", EVERY, needs=("markers",),
        perturb=_only(_any_marker, out=True),
    ),
    AblationInfo(
        "only-all-markers", "content", "Only markers",
        "nothing but known markers of any of the types, in every cell", EVERY,
        needs=("markers",), perturb=_only(_any_marker, out=False),
    ),
    AblationInfo(
        "no-gene-set", "content", "Your gene set out", "a set of your own left out", EVERY,
        needs=("gene set",), perturb=_only(_in_set, out=True),
    ),
    AblationInfo(
        "only-gene-set", "content", "Only your gene set", "nothing but a set of your own", EVERY,
        needs=("gene set",), perturb=_only(_in_set, out=False),
    ),
    AblationInfo(
        "dropout", "content", "Genes dropped out",
        "each expressed gene of each cell lost at random", EVERY,
        shares("share lost", 0.1, 0.25, 0.5, 0.75, default=0.25), True, perturb=dropout,
    ),
    AblationInfo(
        "depth", "content", "Sequenced less deeply",
        "each molecule kept at random, as if fewer reads had been spent", EVERY,
        shares("share of the molecules kept", 0.75, 0.5, 0.25, 0.1, 0.05, default=0.25, low=0.001),
        True, ("counts",), perturb=depth,
    ),
    AblationInfo(
        "panel", "content", "A smaller gene panel",
        "only some of the genes measured, the same in all cells", EVERY,
        shares("share of the genes measured", 0.95, 0.9, 0.8, 0.5, 0.25, default=0.8, low=0.01),
        True, perturb=panel,
    ),
]  # fmt: skip
