"""The plain sentence without housekeeping genes: others move up into the window."""

from __future__ import annotations

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.housekeeping import is_housekeeping
from scmpt_core.sentences.base import Format, FormatInfo, Words
from scmpt_core.sentences.ranking import rank_genes


class NoHousekeeping(Format):
    """The others stay in the order of the whole cell, ties included."""

    def arrange(self, cells: Cells) -> Words:
        """The ranked genes but for :func:`~scmpt_core.housekeeping.is_housekeeping`."""
        ranked = rank_genes(cells)
        keep = ~is_housekeeping(cells.genes)[ranked.genes]
        indptr = np.concatenate([[0], np.cumsum(keep)])[ranked.indptr]
        return Words(indptr, ranked.genes[keep])


NO_HOUSEKEEPING = FormatInfo(
    "no-housekeeping", "Without housekeeping",
    "plain, less ribosomal and mitochondrial genes, elongation factor 1, MALAT1 and TPT1",
    "this project", lambda _text: NoHousekeeping(NO_HOUSEKEEPING),
)  # fmt: skip
