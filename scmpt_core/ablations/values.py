"""Values: the same genes with other numbers. A text encoder reads none."""

from __future__ import annotations

import numpy as np

from scmpt_core.ablations.base import AblationInfo, Context, shares
from scmpt_core.ablations.ragged import chance, rows_of, with_values
from scmpt_core.cells import Cells


def shuffle_values(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
    """The values of a share of each cell's genes change places among these."""
    x = cells.expression
    first, second = (chance(x.indptr, x.indices, cells, 2 * seed + i) for i in (0, 1))
    at = np.flatnonzero(second < strength)
    values = x.data.copy()
    values[at] = x.data[at[np.lexsort((first[at], rows_of(cells)[at]))]]
    return with_values(cells, values)


def equal_values(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
    """Every expressed gene has the mean value of its cell."""
    rows = rows_of(cells)
    sizes = np.maximum(np.bincount(rows, minlength=len(cells)), 1)
    means = np.bincount(rows, cells.expression.data, len(cells)) / sizes
    return with_values(cells, means[rows])


NUMERIC = ("genes", "expression")

VALUES = [
    AblationInfo(
        "shuffle-values", "values", "Values shuffled",
        "which genes a cell expresses stays, how strongly is mixed up among them", NUMERIC,
        shares("share of the genes whose values are shuffled", 0.25, 0.5, 0.75, 1.0, default=1.0),
        True, perturb=shuffle_values,
    ),
    AblationInfo(
        "equal-values", "values", "All values equal",
        "which genes a cell expresses stays, all at the cell's mean value", NUMERIC,
        perturb=equal_values,
    ),
]  # fmt: skip
