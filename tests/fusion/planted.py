"""Embeddings with planted types, for the tests of heads and of the search."""

from __future__ import annotations

import numpy as np
import torch

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Data

CPU = Device("cpu", torch.float32, "test")


def planted(n: int = 300, seed: int = 0, noise: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Three types: a block of 3 features that tells them apart, a block of ``noise``."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    good = np.eye(3)[y] * 3 + rng.normal(size=(n, 3))
    return np.concatenate([good, rng.normal(size=(n, noise))], 1).astype(np.float32), y


def data_of(
    x: np.ndarray,
    y: np.ndarray,
    blocks: tuple[int, ...] = (3, 5),
    groups: np.ndarray | None = None,
) -> Data:
    """The first four fifths are training cells, the rest validation cells."""
    k = len(y) * 4 // 5
    parts = None if groups is None else (groups[:k], groups[k:])
    return Data((x[:k], y[:k]), (x[k:], y[k:]), int(y.max()) + 1, blocks, parts)
