"""An order of the classes in which those that are confused stand together."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform


def order_classes(confusion: np.ndarray) -> np.ndarray:
    """Positions of the classes, (classes,), near types side by side.

    Classes are near when a large share of one is called the other; average linkage with the
    optimal order of the leaves (Bar-Joseph et al. 2001, doi:10.1093/bioinformatics/17.suppl_1.S22).

    Parameters
    ----------
    confusion
        Counts, (classes, classes), truth in rows.
    """
    n = len(confusion)
    if n < 3:
        return np.arange(n)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    near = (share + share.T) / 2
    distance = 1 - near
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    return leaves_list(tree)
