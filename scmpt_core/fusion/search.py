"""The grid: each setting is fitted, the lowest validation loss wins. Test cells take no part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from scmpt_core.device import Device
from scmpt_core.fusion.training import Fit, Hyperparameters, fit_head
from scmpt_core.progress import Progress, silent

GRID = tuple(
    Hyperparameters(learning_rate=rate, weight_decay=decay, dropout=dropout)
    for rate, (decay, dropout) in product((1e-4, 3e-4, 1e-3), ((0.01, 0.2), (0.1, 0.5)))
)
MANY = 2000  # training cells; from here on larger batches, with the same number of epochs
LARGE_BATCH = 512


def search(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    seed: int,
    device: Device,
    progress: Progress = silent,
    grid: tuple[Hyperparameters, ...] = GRID,
    blocks: Sequence[int] = (),
) -> Fit:
    """The best fit over ``grid``; parameters as in :func:`fit_head`."""
    if len(train[1]) >= MANY:
        grid = tuple(replace(hyper, batch_size=LARGE_BATCH) for hyper in grid)
    best: Fit | None = None
    for i, hyper in enumerate(grid):
        progress(i / len(grid), f"setting {i + 1} of {len(grid)}")
        fit = fit_head(train, validation, classes, hyper, seed, device, blocks)
        if best is None or fit.validation_loss < best.validation_loss:
            best = fit
    if best is None:
        raise ValueError("the grid is empty")
    return best
