"""Ranks by expression × inverse cell frequency, as words of a text are by tf-idf."""

from __future__ import annotations

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.sentences.base import FormatInfo
from scmpt_core.sentences.weighted import Weighted, cell_counts


def inverse_frequency(cells: Cells) -> np.ndarray:
    """ln((1 + cells) / (1 + cells that express it)) + 1, as scikit-learn has it, (genes,).

    The 1 at the end keeps genes of every cell in the sentence, by their expression alone.
    """
    counts = cell_counts(cells)
    weights = np.log((1 + len(cells)) / (1 + counts)) + 1
    return np.where(counts > 0, weights, np.nan)


SPECIFIC = FormatInfo(
    "specific", "Specific genes first",
    "by expression × inverse cell frequency: genes of few training cells move up",
    "Spärck Jones 1972, doi:10.1108/eb026526",
    lambda _text: Weighted(SPECIFIC, inverse_frequency), fitted=True,
)  # fmt: skip
