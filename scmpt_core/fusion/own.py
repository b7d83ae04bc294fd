"""Which cells of a file a model was trained or tested on.

A name alone does not say: two runs of a sequencer share barcodes, and many files number their
cells from 0. So each cell is known by its name and by the genes that it expresses.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.seeds import cell_seeds


def marks_of(cells: Cells) -> dict[str, str]:
    """Cell id → 64 bits of which genes it expresses, in hexadecimal.

    Values do not count, so another matrix or normalisation of the same file gives the same.
    """
    return {str(i): f"{seed:016x}" for i, seed in zip(cells.ids, cell_seeds(cells), strict=True)}


def own_cells(cells: Cells, genes: np.ndarray, known: Mapping[str, str]) -> np.ndarray:
    """The cells that ``known`` names, by id and by what they express, (cells,) bool.

    Parameters
    ----------
    genes
        Symbols of the file that ``known`` was made from; others of ``cells`` do not count.
    known
        As of :func:`marks_of`.
    """
    if not known:
        return np.zeros(len(cells), dtype=bool)
    marks = marks_of(cells.restrict(set(genes.tolist())))
    return np.array([known.get(name) == mark for name, mark in marks.items()], dtype=bool)
