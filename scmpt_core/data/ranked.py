"""Which genes vary most, and which mark a group of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy import stats
from sklearn.utils.sparsefuncs import mean_variance_axis

from scmpt_core.cells import Cells

MIN_GROUP = 3  # with fewer cells there is nothing to test
TINY = 1e-9  # added to both means of a fold change, as scanpy does


def highly_variable(cells: Cells, n: int) -> np.ndarray:
    """Positions of the ``n`` genes whose log expression varies most, rising.

    With at most ``n`` genes all are taken; of more, never one without variance. Genes that tie
    at the limit are all taken, so that the order of the columns does not matter.

    Not scanpy's flavour ``seurat`` (dispersion among genes of like mean), which needs no counts
    either: on droplet counts it fills up with genes that few cells express. Logistic regression
    on 2,000 genes of zheng2017 scored macro F1 0.72 on theirs, 0.85 on these (validation cells).
    """
    if len(cells.genes) <= n:
        return np.arange(len(cells.genes))
    variance = mean_variance_axis(cells.expression, axis=0)[1]  # (genes,)
    limit = np.partition(variance, -n)[-n]
    return np.flatnonzero((variance >= limit) & (variance > 0))


@dataclass(frozen=True)
class GeneRow:
    """One gene that marks a group.

    Parameters
    ----------
    log2_fold_change
        As scanpy defines it: of ``expm1`` of the mean log values, inside ÷ outside, 1e-9 added
        to both; 20 and more means that hardly any other cell expresses the gene.
    share_inside, share_outside
        Share of the group's cells, and of all others, that express it.
    p_adjusted
        Two-sided, Benjamini–Hochberg over the genes that any cell expresses. Groups that were
        made from the same expression (labels predicted, clusters) make it far too small: it
        orders genes, it proves nothing.
    """

    symbol: str
    log2_fold_change: float
    share_inside: float
    share_outside: float
    p_adjusted: float


def ranked_genes(cells: Cells, groups: np.ndarray, n: int) -> dict[str, list[GeneRow]]:
    """The ``n`` genes that mark each group most against all other cells, surest first.

    Wilcoxon's rank-sum test by the normal approximation, corrected for ties: the z and p of
    scanpy's ``tl.rank_genes_groups(method="wilcoxon", tie_correct=True)``, which makes the
    matrix dense and counts the ties anew for each group. Only genes that are higher inside.
    Left out are groups of fewer than 3 cells, and groups that leave fewer than 3 others.

    Parameters
    ----------
    groups
        Name of each cell's group, (cells,).

    Raises
    ------
    ValueError
        There is not one name a cell.
    """
    if len(groups) != len(cells):
        raise ValueError(f"{len(groups)} groups for {len(cells)} cells")
    names, member, sizes = np.unique(
        np.asarray(groups, str), return_inverse=True, return_counts=True
    )
    large = np.flatnonzero((sizes >= MIN_GROUP) & (len(cells) - sizes >= MIN_GROUP))
    expressed = np.flatnonzero(cells.expression.getnnz(axis=0))
    x = sp.csc_matrix(cells.expression[:, expressed], dtype=np.float64)
    ones = np.ones(len(cells))
    inside = sp.csr_matrix((ones, (member, np.arange(len(cells)))))[large]  # (groups, cells)
    score = z_scores(x, inside)
    fold, shares = _fold_changes(x, inside), _means(_ones_like(x), inside)
    symbols = cells.genes[expressed]
    found = {}
    for i, group in enumerate(large):
        p = stats.false_discovery_control(2 * stats.norm.sf(np.abs(score[i])))
        order = np.argsort(-score[i], kind="stable")
        higher = [g for g in order if score[i, g] > 0 and fold[i, g] > 0][:n]
        found[str(names[group])] = [
            GeneRow(str(symbols[g]), float(fold[i, g]), *shares[:, i, g].tolist(), float(p[g]))
            for g in higher
        ]
    return found


def z_scores(x: sp.csc_matrix, inside: sp.csr_matrix) -> np.ndarray:
    """Rank-sum scores of each group against all other cells, (groups, genes); 0 without variance.

    Parameters
    ----------
    x
        Values, none negative, (cells, genes); what is not stored is 0.
    inside
        1 where a cell is of a group, (groups, cells).
    """
    n = x.shape[0]
    zeros = n - np.diff(x.indptr).astype(float)  # (genes,): they share the lowest rank
    ranks, ties = x.copy(), zeros**3 - zeros
    for gene in range(x.shape[1]):
        stored = slice(x.indptr[gene], x.indptr[gene + 1])
        _, place, counts = np.unique(x.data[stored], return_inverse=True, return_counts=True)
        ranks.data[stored] = (zeros[gene] + np.cumsum(counts) - (counts - 1) / 2)[place]
        ties[gene] += (counts.astype(float) ** 3 - counts).sum()
    size = np.asarray(inside.sum(axis=1))  # (groups, 1)
    unstored = size - (inside @ _ones_like(x)).toarray()  # (groups, genes)
    total = (inside @ ranks).toarray() + unstored * (zeros + 1) / 2
    untied = (1 - ties / (n**3 - n)).clip(0)  # (genes,): 0 for a gene of one value
    deviation = np.sqrt(size * (n - size) * (n + 1) / 12 * untied)
    excess = total - size * (n + 1) / 2
    return np.divide(excess, deviation, out=np.zeros_like(excess), where=untied > 1e-12)


def _ones_like(x: sp.csc_matrix) -> sp.csc_matrix:
    return sp.csc_matrix((np.ones_like(x.data), x.indices, x.indptr), shape=x.shape)


def _means(x: sp.csc_matrix, inside: sp.csr_matrix) -> np.ndarray:
    """Means inside each group and outside it, (2, groups, genes)."""
    size = np.asarray(inside.sum(axis=1))  # (groups, 1)
    sums = (inside @ x).toarray()
    return np.stack([sums / size, (np.asarray(x.sum(axis=0)) - sums) / (x.shape[0] - size)])


def _fold_changes(x: sp.csc_matrix, inside: sp.csr_matrix) -> np.ndarray:
    within, outside = np.expm1(_means(x, inside).clip(0)) + TINY
    return np.log2(within / outside)
