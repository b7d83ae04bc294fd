"""Ranks by expression over the gene's mean: what stands out in this cell, not what is high."""

from __future__ import annotations

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.sentences.base import FormatInfo
from scmpt_core.sentences.weighted import Weighted, cell_counts


def inverse_mean(cells: Cells) -> np.ndarray:
    """1 / mean log expression over all ``cells``, zeros included, (genes,)."""
    sums = np.bincount(cells.expression.indices, cells.expression.data, len(cells.genes))
    return np.where(cell_counts(cells) > 0, len(cells) / np.where(sums > 0, sums, 1), np.nan)


RELATIVE = FormatInfo(
    "relative", "Relative to the mean",
    "by expression / mean of the gene over training cells: what stands out in a cell moves up",
    "after Theodoris et al. 2023, doi:10.1038/s41586-023-06139-9, who divide by the median of "
    "cells that express it",
    lambda _text: Weighted(RELATIVE, inverse_mean), fitted=True,
)  # fmt: skip
