"""Length-sorted batches under a token budget, shared by the Transformer encoders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def token_batches(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    """Positions of cells in batches of at most ``budget`` padded tokens, longest first.

    Longest first: what does not fit into memory fails at once, not after an hour.
    A single cell longer than the budget is a batch of its own.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        width = max(int(lengths[order[start]]), 1)
        end = start + max(budget // width, 1)
        yield order[start:end]
        start = end
