"""Length-sorted batches under a token budget, shared by the Transformer encoders.

While the device computes one batch, the next is tokenised in a thread (the kernels release the
interpreter) and the one before is fetched, so that a GPU waits for neither.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from scmpt_core.errors import ModelError
from scmpt_core.progress import Meter

Tokens = TypeVar("Tokens")
BUDGET = {"cpu": 4_096, "cuda": 131_072, "mps": 16_384}  # tokens a batch
logger = logging.getLogger(__name__)


def next_batch(order: np.ndarray, lengths: np.ndarray, budget: int) -> np.ndarray:
    """The first cells of ``order`` that hold at most ``budget`` tokens; one cell at least.

    ``order`` goes from the longest cell to the shortest: what does not fit into memory fails at
    once, not after an hour.
    """
    fitting = np.searchsorted(np.cumsum(lengths[order[:budget]]), budget, side="right")
    return order[: max(int(fitting), 1)]


def encode_batches(
    lengths: np.ndarray,
    prepare: Callable[[np.ndarray], Tokens],
    forward: Callable[[Tokens], Tensor],
    out: np.ndarray,
    budget: int,
    meter: Meter,
) -> None:
    """Fill ``out``, (cells, d), batch by batch; the order of the cells is kept.

    A GPU that runs out of memory gets half the tokens a batch from there on, which the progress
    and the log say.

    Parameters
    ----------
    lengths
        Tokens of each cell, (cells,).
    prepare
        Positions of cells → their tokens; runs in a thread.
    forward
        Tokens → (cells, d) on the device; may return before it is computed.

    Raises
    ------
    ModelError
        A single cell does not fit into the device's memory.
    """
    order = np.argsort(-lengths, kind="stable")
    running: deque[tuple[np.ndarray, Tensor]] = deque()
    with ThreadPoolExecutor(1) as thread:
        which = next_batch(order, lengths, budget)
        tokens = thread.submit(prepare, which)
        while len(which):
            rest = order[len(which) :]
            following = next_batch(rest, lengths, budget) if len(rest) else rest
            ahead = thread.submit(prepare, following)
            try:
                running.append((which, forward(tokens.result())))
            except torch.OutOfMemoryError as error:
                ahead.cancel()
                _collect(running, out, meter, keep=0)
                budget = _halved(which, lengths, meter, error)
                which = next_batch(order, lengths, budget)
                tokens = thread.submit(prepare, which)
                continue
            _collect(running, out, meter, keep=1)
            order, which, tokens = rest, following, ahead
    _collect(running, out, meter, keep=0)


def _collect(
    running: deque[tuple[np.ndarray, Tensor]], out: np.ndarray, meter: Meter, keep: int
) -> None:
    while len(running) > keep:
        which, vectors = running.popleft()
        out[which] = vectors.float().cpu().numpy()
        meter.add(len(which))


def _halved(which: np.ndarray, lengths: np.ndarray, meter: Meter, error: Exception) -> int:
    tokens = int(lengths[which].sum())
    if len(which) == 1:
        raise ModelError(
            f"{meter.what}: one cell of {tokens:,} tokens does not fit into the GPU's memory.",
            "Free the GPU, or set SCMPT_DEVICE=cpu.",
        ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    budget = max(tokens // 2, 1)
    meter.say(f"out of GPU memory at {tokens:,} tokens a batch, going on with {budget:,}")
    logger.warning("%s: out of memory at %d tokens a batch, now %d", meter.what, tokens, budget)
    return budget
