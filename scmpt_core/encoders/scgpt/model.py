"""The scGPT encoder stack on ``scaled_dot_product_attention``.

Parameter names are those of upstream's ``TransformerModel`` with plain PyTorch attention, so
that an official state dict loads by name. Post-norm, ReLU, no positions: the output at a token
does not depend on the order of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ScGPTConfig:
    """Shape and input conventions of a checkpoint (its ``args.json``)."""

    vocabulary_size: int
    embsize: int = 512
    nlayers: int = 12
    nheads: int = 8
    d_hid: int = 512
    n_bins: int = 51
    pad_value: float = -2.0
    mask_value: float = -1.0
    max_length: int = 1200


class GeneEncoder(nn.Module):
    """Gene id → vector."""

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, dim)
        self.enc_norm = nn.LayerNorm(dim)

    def forward(self, ids: Tensor) -> Tensor:  # (cells, tokens) → (cells, tokens, d)
        return self.enc_norm(self.embedding(ids))


class ValueEncoder(nn.Module):
    """Binned value → vector; values above 512 are clipped, as upstream does."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(1, dim)
        self.linear2 = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, values: Tensor) -> Tensor:  # (cells, tokens) → (cells, tokens, d)
        x = values.clamp(max=512).unsqueeze(-1)
        return self.norm(self.linear2(F.relu(self.linear1(x))))


class SelfAttention(nn.Module):
    """Multi-head self-attention with upstream's parameter names."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        cells, tokens, dim = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        # (cells, tokens, 3, heads, d/heads) → 3 × (cells, heads, tokens, d/heads)
        qkv = qkv.view(cells, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask=mask)
        return self.out_proj(out.transpose(1, 2).reshape(cells, tokens, dim))


class Layer(nn.Module):
    """One post-norm Transformer layer."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = SelfAttention(dim, heads)
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.norm1(x + self.self_attn(x, mask))
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class ScGPT(nn.Module):
    """Gene ids and binned values in, one vector a token out."""

    def __init__(self, config: ScGPTConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = GeneEncoder(config.vocabulary_size, config.embsize)
        self.value_encoder = ValueEncoder(config.embsize)
        layers = [Layer(config.embsize, config.nheads, config.d_hid) for _ in range(config.nlayers)]
        self.transformer_encoder = nn.ModuleDict({"layers": nn.ModuleList(layers)})

    def forward(self, ids: Tensor, values: Tensor, padding: Tensor | None = None) -> Tensor:
        """Run the stack.

        Parameters
        ----------
        ids
            Vocabulary ids, (cells, tokens), int64.
        values
            Binned values; ``pad_value`` at ``<cls>`` and padding, (cells, tokens).
        padding
            True where a token is padding, (cells, tokens); ``None`` when there is none.

        Returns
        -------
        (cells, tokens, embsize); position 0 is ``<cls>``.
        """
        x = self.encoder(ids) + self.value_encoder(values.to(self.dtype))
        mask = None if padding is None else ~padding[:, None, None, :]  # True: may be attended
        for layer in self.transformer_encoder["layers"]:
            x = layer(x, mask)
        return x

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the weights."""
        return self.encoder.embedding.weight.dtype
