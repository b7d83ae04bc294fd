"""Coarse levels with names: "very high: B2M FTL … high: ACTB …"; within one, order says nothing.

Levels are cut by rank and double in size, as expression falls about as a power of rank: each is
about as many fold lower than the one before. By the cell's quantiles all that a text encoder reads
(some 77 or 152 of 1,000 genes and more) would be one level, and on counts, where most values are
equal, cuts by value make levels of any size.
"""

from __future__ import annotations

import numba
import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.seeds import cell_seeds, draw
from scmpt_core.sentences.base import Format, FormatInfo, Words
from scmpt_core.sentences.ranking import rank_genes

NAMES = ("very high:", "high:", "medium:", "low:", "very low:")
# Ranks at which a level ends. The last level, the rest, begins about where 512 tokens end.
ENDS = np.array([10, 30, 70, 150, np.iinfo(np.int64).max])


class Levels(Format):
    """Genes of a level stand in the order of the cell's draws; empty levels are left out."""

    def arrange(self, cells: Cells) -> Words:
        """A literal before the genes of each level."""
        ranked = rank_genes(cells)
        sizes = np.diff(ranked.indptr)
        begun = (sizes[:, None] > np.concatenate([[0], ENDS[:-1]])[None, :]).sum(axis=1)  # (cells,)
        indptr = np.concatenate([[0], np.cumsum(sizes + begun)])
        words = np.empty(indptr[-1], dtype=np.int64)
        _gather(
            ranked.indptr, ranked.genes, cell_seeds(cells), cells.gene_hashes, ENDS, indptr, words
        )
        return Words(indptr, words)


@numba.njit(cache=True, nogil=True)
def _gather(ranked_indptr, ranked, seeds, gene_hashes, ends, indptr, out):
    literal = len(gene_hashes)  # the first one's number
    for cell in range(len(ranked_indptr) - 1):
        genes = ranked[ranked_indptr[cell] : ranked_indptr[cell + 1]]
        start, at, level = 0, indptr[cell], 0
        while start < len(genes):
            end = min(ends[level], len(genes))
            out[at] = literal + level
            draws = np.empty(end - start, np.uint64)
            for j in range(start, end):
                draws[j - start] = draw(seeds[cell], gene_hashes[genes[j]])
            order = np.argsort(draws)
            for k in range(end - start):
                out[at + 1 + k] = genes[start + order[k]]
            at, start, level = at + 1 + end - start, end, level + 1


LEVELS = FormatInfo(
    "levels", "Coarse levels",
    "“very high: … high: … medium: … low: …”: ranks 1–10, 11–30, 31–70, 71–150 and the rest, in "
    "no order within",
    "this project", lambda _text: Levels(LEVELS, NAMES), levels=True,
)  # fmt: skip
