"""Length-sorted batches under a token budget, shared by the Transformer encoders.

While the device computes one batch, the next is tokenised in a thread (the kernels release the
interpreter) and the one before is fetched, so that a GPU waits for neither.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from scmpt_core.errors import ModelError
from scmpt_core.progress import Meter

Tokens = TypeVar("Tokens")
BUDGET = {"cpu": 4_096, "cuda": 131_072, "mps": 16_384}  # tokens a batch
CHUNK = {"cpu": 256, "cuda": 8_192, "mps": 1_024}  # cells stored at a time
logger = logging.getLogger(__name__)


def next_batch(order: np.ndarray, lengths: np.ndarray, budget: int) -> np.ndarray:
    """The first cells of ``order`` that hold at most ``budget`` tokens; one cell at least.

    ``order`` goes from the longest cell to the shortest: what does not fit into memory fails at
    once, not after an hour.
    """
    fitting = np.searchsorted(np.cumsum(lengths[order[:budget]]), budget, side="right")
    return order[: max(int(fitting), 1)]


@dataclass
class Budget:
    """Tokens a batch may hold; an encoder keeps its own, so what was learnt of a GPU stays."""

    tokens: int

    @classmethod
    def of(cls, device: str) -> Budget:
        """What a device starts with."""
        return cls(BUDGET[device])


class Running:
    """A batch on its way back to the host."""

    def __init__(self, which: np.ndarray, vectors: Tensor) -> None:
        self.which, self.event = which, None
        self.host = vectors.float()
        if vectors.is_cuda:
            # Queued behind this batch, and waited for alone: waiting for a plain copy would also
            # wait for the batch that was queued after this one.
            device, self.host = self.host, torch.empty(vectors.shape, pin_memory=True)
            self.host.copy_(device, non_blocking=True)
            self.event = torch.cuda.Event()
            self.event.record()

    def into(self, out: np.ndarray) -> int:
        """Put the vectors in their places; how many cells they were."""
        if self.event is not None:
            self.event.synchronize()
        out[self.which] = self.host.cpu().numpy()
        return len(self.which)


def encode_batches(
    lengths: np.ndarray,
    prepare: Callable[[np.ndarray], Tokens],
    forward: Callable[[Tokens], Tensor],
    out: np.ndarray,
    budget: Budget,
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
    running: deque[Running] = deque()

    def collect(keep: int) -> None:
        while len(running) > keep:
            meter.add(running.popleft().into(out))

    with ThreadPoolExecutor(1) as thread:
        which = next_batch(order, lengths, budget.tokens)
        tokens = thread.submit(prepare, which)
        while len(which):
            rest = order[len(which) :]
            following = next_batch(rest, lengths, budget.tokens) if len(rest) else rest
            ahead, full = thread.submit(prepare, following), False
            try:
                running.append(Running(which, forward(tokens.result())))
            except torch.OutOfMemoryError:
                full = True  # handled below: the exception still holds the batch's tensors
            if full:
                collect(keep=0)
                _halve(budget, which, lengths, meter)
                which = next_batch(order, lengths, budget.tokens)
                tokens = thread.submit(prepare, which)
                continue
            collect(keep=1)
            order, which, tokens = rest, following, ahead
    collect(keep=0)


def _halve(budget: Budget, which: np.ndarray, lengths: np.ndarray, meter: Meter) -> None:
    tokens = int(lengths[which].sum())
    if len(which) == 1:
        raise ModelError(
            f"{meter.what}: one cell of {tokens:,} tokens does not fit into the GPU's memory.",
            "Free the GPU, or set SCMPT_DEVICE=cpu.",
        )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    budget.tokens = max(tokens // 2, 1)
    words = f"out of GPU memory at {tokens:,} tokens a batch, going on with {budget.tokens:,}"
    meter.say(words)
    logger.warning("%s: %s", meter.what, words)
