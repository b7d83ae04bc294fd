"""Heads: embeddings of one cell, side by side, in; one logit a class out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

HIDDEN = 4096  # the paper's


class ConcatMLP(nn.Module):
    """The paper's head: concatenation → dense 4096, ReLU → classes (arXiv 2507.10039).

    Each encoder's block is standardised on the training cells first, so that one with large
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

    def standardise(self, x: Tensor, blocks: Sequence[int]) -> None:
        """Take each feature's mean and each block's spread from the training cells.

        One spread a block, not one a feature: the components of a PCA, scaled to one spread
        each, would drown the few that carry the types among those that are noise.

        Parameters
        ----------
        x
            (cells, features).
        blocks
            Number of features of each encoder, in order.
        """
        self.mean.copy_(x.mean(dim=0))
        centred = x - self.mean
        spreads = [float(block.square().mean().sqrt()) for block in centred.split(list(blocks), 1)]
        self.scale.copy_(
            torch.cat(
                [
                    torch.full((n,), s if s > 1e-6 else 1.0)
                    for n, s in zip(blocks, spreads, strict=True)
                ]
            )
        )

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
