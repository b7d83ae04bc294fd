"""Heads: embeddings of one cell, side by side, in; one logit a class out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

HIDDEN = 4096  # the paper's


class ConcatMLP(nn.Module):
    """The paper's head: concatenation → dense 4096, ReLU → classes (arXiv 2507.10039).

    Every feature is standardised on the training cells first, so that a block with large
    numbers does not drown the other.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.hidden = nn.Linear(features, HIDDEN)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(HIDDEN, classes)

    def standardise(self, x: Tensor) -> None:
        """Take mean and spread of each feature from the training cells, (cells, features)."""
        self.mean.copy_(x.mean(dim=0))
        spread = x.std(dim=0) if len(x) > 1 else torch.zeros_like(self.mean)
        self.scale.copy_(torch.where(spread > 1e-6, spread, 1.0))  # constant features stay 0

    def forward(self, x: Tensor) -> Tensor:  # (cells, features) → (cells, classes)
        x = (x - self.mean) / self.scale
        return self.output(self.dropout(torch.relu(self.hidden(x))))


@dataclass(frozen=True)
class HeadInfo:
    """The metadata record of a head."""

    name: str
    summary: str
    reference: str
    make: Callable[[int, int, float], ConcatMLP]  # features, classes, dropout


HEADS = [
    HeadInfo("mlp", "concatenate, dense 4096, ReLU", "arXiv 2507.10039", ConcatMLP),
]
