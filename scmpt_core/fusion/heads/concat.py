"""The paper's head: the embeddings side by side, one wide hidden layer."""

from __future__ import annotations

import torch
from torch import Tensor

from scmpt_core.fusion.heads.base import HeadInfo
from scmpt_core.fusion.heads.neural import Dense, NeuralHead, drop, searched

HIDDEN = 4096  # the paper's


class ConcatHead(NeuralHead):
    """Concatenation → dense 4096, ReLU → classes (arXiv 2507.10039)."""

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__(blocks, classes)
        self.hidden = Dense(sum(blocks), HIDDEN)
        self.output = Dense(HIDDEN, classes)

    def forward(self, x: Tensor, dropout: Tensor | None = None) -> Tensor:
        return self.output(drop(torch.relu(self.hidden(self.standardised(x))), dropout))


CONCAT = HeadInfo(
    "concat", "Dense network",
    "the embeddings side by side, dense 4096, ReLU: the paper's; over one encoder, its MLP",
    "Palayew, Wang & Bader 2025, arXiv 2507.10039", False, ("concat",), ConcatHead,
    searched(ConcatHead),
)  # fmt: skip
