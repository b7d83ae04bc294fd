"""Encoders: the embedding of one of them taken away or exchanged, the others as they are."""

from __future__ import annotations

import numpy as np

from scmpt_core.ablations.base import EVERY, AblationInfo, shares


def zero(vectors: np.ndarray, mean: np.ndarray, strength: float, seed: int) -> np.ndarray:
    """All numbers 0, which no cell has: beyond what the head was trained on."""
    return np.zeros_like(vectors)


def average(vectors: np.ndarray, mean: np.ndarray, strength: float, seed: int) -> np.ndarray:
    """Every cell has the mean of the training cells: nothing is said, and nothing is odd."""
    return np.broadcast_to(mean.astype(vectors.dtype), vectors.shape).copy()


def swap(vectors: np.ndarray, mean: np.ndarray, strength: float, seed: int) -> np.ndarray:
    """A share of the cells have another one's embedding: they go round in random order."""
    rng = np.random.default_rng(seed)
    turn = rng.permutation(len(vectors))[: round(strength * len(vectors))]
    out = vectors.copy()
    out[turn] = vectors[np.roll(turn, 1)]
    return out


BLOCKS = [
    AblationInfo(
        "zero-block", "encoders", "Embedding zeroed", "one encoder's embedding set to 0", EVERY,
        mix=zero,
    ),
    AblationInfo(
        "mean-block", "encoders", "Embedding averaged",
        "one encoder's embedding replaced by the mean of the training cells", EVERY, mix=average,
    ),
    AblationInfo(
        "swap-block", "encoders", "Embedding of another cell",
        "one encoder's embedding taken from another cell, at random", EVERY,
        shares("share of the cells", 0.25, 0.5, 1.0, default=1.0), True, mix=swap,
    ),
]  # fmt: skip
