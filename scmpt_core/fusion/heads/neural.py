"""What heads that are trained by gradient steps have in common."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Budget, Data, Fit
from scmpt_core.fusion.heads.base import StandardisedHead
from scmpt_core.fusion.search import search
from scmpt_core.progress import Progress

BLOCK_DROPOUT = 0.2


class NeuralHead(StandardisedHead):
    """A head whose settings are searched.

    Dropout comes with each call, as a tensor, so that settings which differ in it can be trained
    as one batch.
    """

    def forward(self, x: Tensor, dropout: Tensor | None = None) -> Tensor:
        """(cells, features) as the encoders gave them → logits, (cells, classes).

        ``dropout`` is the probability in training; without it, the head predicts.
        """
        raise NotImplementedError


class Dense(nn.Module):
    """A linear layer whose weight is stored (in, out).

    ``nn.Linear`` stores (out, in); in a batch of settings its gradient then comes out turned, and
    PyTorch copies it at each step: twice the time.
    """

    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        layer = nn.Linear(features, out)  # its initial values
        self.weight = nn.Parameter(layer.weight.detach().T.contiguous())
        self.bias = nn.Parameter(layer.bias.detach())

    def forward(self, x: Tensor) -> Tensor:  # (…, in) → (…, out)
        return x @ self.weight + self.bias


def drop(h: Tensor, dropout: Tensor | None) -> Tensor:
    """Zero each number with probability ``dropout`` and scale the others up.

    Settings trained as one batch share the draws: they differ in the threshold alone.
    """
    if dropout is None:
        return h
    kept = torch.rand(h.shape, device=h.device) >= dropout
    return h * (kept / (1 - dropout)).to(h.dtype)


def kept_blocks(cells: int, blocks: int, device: torch.device, dropout: Tensor | None) -> Tensor:
    """Which encoders a cell may be read from, (cells, blocks) bool.

    In training each is left out with probability ``BLOCK_DROPOUT``, never all of them.
    """
    if dropout is None:
        return torch.ones(cells, blocks, dtype=torch.bool, device=device)
    kept = torch.rand(cells, blocks, device=device) >= BLOCK_DROPOUT
    return kept | ~kept.any(dim=1, keepdim=True)


def searched(
    make: Callable[[tuple[int, ...], int], NeuralHead],
) -> Callable[[Data, Budget, int, Device, Progress], Fit]:
    """The ``fit`` of a neural head: the best of the budget's grid on the validation cells."""

    def fit(data: Data, budget: Budget, seed: int, device: Device, progress: Progress) -> Fit:
        return search(make, data, budget, seed, device, progress)

    return fit
