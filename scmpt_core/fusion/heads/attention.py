"""Each class asks the embeddings, and decides which to listen to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scmpt_core.fusion.heads.base import HeadInfo
from scmpt_core.fusion.heads.neural import Dense, NeuralHead, drop, kept_blocks, searched

WIDTH, HEADS = 512, 8


class AttentionHead(NeuralHead):
    """Each block → a token; a learned query a class attends over the tokens; → its logit.

    In training whole blocks are left out at random, so that each learns to stand alone.
    """

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__(blocks, classes)
        self.project = nn.ModuleList(Dense(n, WIDTH) for n in blocks)
        self.key = Dense(WIDTH, WIDTH)
        self.value = Dense(WIDTH, WIDTH)
        self.query = nn.Parameter(torch.randn(HEADS, classes, WIDTH // HEADS) * 0.1)
        self.output = nn.Parameter(torch.randn(classes, WIDTH) / WIDTH**0.5)
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, x: Tensor, dropout: Tensor | None = None) -> Tensor:
        cells, blocks = len(x), len(self.blocks)
        pairs = zip(self.project, self.split(self.standardised(x)), strict=True)
        tokens = torch.stack([torch.relu(project(part)) for project, part in pairs], 1)
        tokens = drop(tokens, dropout)  # (cells, blocks, width)
        key = self.key(tokens).view(cells, blocks, HEADS, -1)
        value = self.value(tokens).view(cells, blocks, HEADS, -1)
        kept = kept_blocks(cells, blocks, x.device, dropout)[:, None, None]
        # Written out: scaled_dot_product_attention has no rule for a batch of settings.
        score = torch.einsum("hkd,nbhd->nhkb", self.query, key) / self.query.shape[-1] ** 0.5
        trust = score.masked_fill(~kept, -torch.inf).softmax(-1)  # (cells, heads, classes, blocks)
        # A class reads only its own row, so the value is multiplied with it before it is mixed.
        row = self.output.view(-1, HEADS, WIDTH // HEADS)  # (classes, heads, d)
        return torch.einsum("nhkb,nbhd,khd->nk", trust, value, row) + self.bias


ATTENTION = HeadInfo(
    "attention", "Cross-attention",
    "each encoder's embedding is a token; each class attends to those that tell of it",
    "Vaswani et al. 2017, arXiv 1706.03762", True, ("concat",), AttentionHead,
    searched(AttentionHead),
)  # fmt: skip
