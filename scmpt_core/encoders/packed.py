"""Post-norm Transformer layers over packed cells: no padding, no mask, and nothing twice.

Both encoders are stacks of the same layer (BERT and scGPT differ in activation and epsilon
only). Here the tokens of all cells of a batch lie one after the other, (tokens, d): a matrix
product sees one tall matrix, attention runs cell by cell on its own rows, so no token is spent
on padding. Algebra that leaves the result unchanged is done once, when the weights are read:

- the scale 1/√(d/heads) goes into the query projection;
- a key bias adds the same number to all scores of a query, which the softmax takes out again:
  it is dropped;
- attention weights sum to 1, so a value bias passes through: it joins the output bias.

In the last layer only what is read from it is computed (``first_only``: the ``<cls>`` rows).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

VECTOR = 32  # bfloat16 numbers in a 512-bit vector
SLACK = VECTOR - 1  # rows behind the last cell, so that every cell can be widened


@dataclass(frozen=True)
class Norm:
    """A layer normalisation."""

    weight: Tensor
    bias: Tensor
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)

    @classmethod
    def of(cls, module: nn.LayerNorm) -> Norm:
        """Of a module."""
        return cls(module.weight, module.bias, module.eps)

    def to(self, device: str, dtype: torch.dtype) -> Norm:
        """The same elsewhere, in another number format."""
        return Norm(self.weight.to(device, dtype), self.bias.to(device, dtype), self.eps)


@dataclass(frozen=True)
class PackedLayer:
    """Weights of one layer, ready to multiply; (out, in) as ``F.linear`` takes them."""

    qkv: Tensor  # (3 d, d), queries scaled
    q_bias: Tensor  # (d,), scaled
    out: Tensor  # (d, d)
    out_bias: Tensor  # (d,), the value bias within
    norm1: Norm
    up: Tensor  # (hidden, d)
    up_bias: Tensor
    down: Tensor  # (d, hidden)
    down_bias: Tensor
    norm2: Norm

    @classmethod
    def of(
        cls, heads: int, qkv: tuple[Tensor, Tensor], out: nn.Linear, norm1: nn.LayerNorm,
        up: nn.Linear, down: nn.Linear, norm2: nn.LayerNorm,
    ) -> PackedLayer:  # fmt: skip
        """Fold scale and biases, in float32; ``qkv`` is weight (3 d, d) and bias (3 d,)."""
        weight, bias = (t.float() for t in qkv)
        dim = weight.shape[1]
        scale = (dim // heads) ** -0.5
        return cls(
            qkv=torch.cat([weight[:dim] * scale, weight[dim:]]),
            q_bias=bias[:dim] * scale,
            out=out.weight,
            out_bias=out.bias.float() + out.weight.float() @ bias[2 * dim :],
            norm1=Norm.of(norm1),
            up=up.weight,
            up_bias=up.bias,
            down=down.weight,
            down_bias=down.bias,
            norm2=Norm.of(norm2),
        )

    def to(self, device: str, dtype: torch.dtype) -> PackedLayer:
        """The same elsewhere, in another number format."""
        moved = {f.name: getattr(self, f.name).to(device, dtype) for f in fields(self)}
        return PackedLayer(**moved)


@dataclass(frozen=True)
class Packing:
    """Where each cell's tokens lie among all tokens of a batch."""

    offsets: Tensor  # (cells + 1,) int32, on the model's device
    bounds: tuple[tuple[int, int], ...]  # (first, one past the last) of each cell

    @classmethod
    def of(cls, lengths: np.ndarray, device: str) -> Packing:
        """From the tokens per cell, (cells,); none may be 0."""
        ends = np.concatenate([[0], np.cumsum(lengths)])
        bounds = tuple(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
        return cls(to_device(ends.astype(np.int32), device), bounds)

    @property
    def longest(self) -> int:
        """Tokens of the longest cell."""
        return max(end - start for start, end in self.bounds)


@dataclass(frozen=True)
class PackedStack:
    """Layers over packed cells."""

    layers: tuple[PackedLayer, ...]
    heads: int
    activation: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor, packing: Packing, first_only: bool) -> Tensor:
        """Run the stack.

        Parameters
        ----------
        x
            Input vectors of all tokens, cell after cell, (tokens, d).
        first_only
            Return only each cell's first token, (cells, d); otherwise all, (tokens, d).
        """
        for layer in self.layers[:-1]:
            x = self._layer(layer, x, packing)
        last = self._first if first_only else self._layer
        return last(self.layers[-1], x, packing)

    def _layer(self, layer: PackedLayer, x: Tensor, packing: Packing) -> Tensor:
        qkv = self._project(x, layer.qkv)  # (tokens + slack, 3, heads, d/heads)
        qkv[:, 0] += layer.q_bias.view(self.heads, -1)
        mixed = attend(qkv[: len(x), 0], qkv[:, 1], qkv[:, 2], packing)
        return self._rest(layer, x, mixed.reshape(x.shape))

    def _first(self, layer: PackedLayer, x: Tensor, packing: Packing) -> Tensor:
        dim, first = x.shape[1], x[packing.offsets[:-1].long()]  # (cells, d)
        kv = self._project(x, layer.qkv[dim:])  # (tokens + slack, 2, heads, d/heads)
        q = torch.addmm(layer.q_bias, first, layer.qkv[:dim].T).view(len(first), self.heads, -1)
        mixed = attend(q, kv[:, 0], kv[:, 1], packing, first_only=True)
        return self._rest(layer, first, mixed.reshape(first.shape))

    def _project(self, x: Tensor, weight: Tensor) -> Tensor:
        """``x @ weight.T`` by heads, (tokens + slack, parts, heads, d/heads); slack is zero."""
        out = x.new_empty(len(x) + SLACK, len(weight))
        out[len(x) :] = 0
        torch.mm(x, weight.T, out=out[: len(x)])
        return out.view(len(out), -1, self.heads, x.shape[1] // self.heads)

    def _rest(self, layer: PackedLayer, x: Tensor, mixed: Tensor) -> Tensor:
        x = layer.norm1(F.linear(mixed, layer.out, layer.out_bias).add_(x))
        hidden = self.activation(F.linear(x, layer.up, layer.up_bias))
        return layer.norm2(F.linear(hidden, layer.down, layer.down_bias).add_(x))


def attend(q: Tensor, k: Tensor, v: Tensor, packing: Packing, first_only: bool = False) -> Tensor:
    """Attention of each cell's tokens to its own, as ``q``: (queries, heads, d/heads).

    Parameters
    ----------
    q
        Scaled queries of all tokens, or with ``first_only`` of each cell's first token.
    k, v
        Of all tokens and ``SLACK`` more rows, finite.
    """
    if not (q.is_cuda and q.dtype in (torch.bfloat16, torch.float16)):
        return attend_by_cell(q, k, v, packing, first_only)
    from torch.nn.attention.varlen import varlen_attn

    ends, longest = packing.offsets, packing.longest
    tokens, cells = packing.bounds[-1][1], len(packing.bounds)
    firsts = torch.arange(cells + 1, dtype=torch.int32, device=q.device)
    queries, most = (firsts, 1) if first_only else (ends, longest)
    return varlen_attn(q, k[:tokens], v[:tokens], queries, ends, most, longest, scale=1.0)


def attend_by_cell(
    q: Tensor, k: Tensor, v: Tensor, packing: Packing, first_only: bool = False
) -> Tensor:
    """The same, one cell at a time, on any device and in any number format."""
    mixed = q.new_empty(q.shape)
    for cell, (start, end) in enumerate(packing.bounds):
        rows = slice(cell, cell + 1) if first_only else slice(start, end)
        # Rows of a length that vectors do not divide make the softmax 2.5 times slower, so some
        # of the following rows come along as keys, and get no weight. Copied head by head while
        # they are in the cache: the product would copy them, more slowly, by itself.
        stop = start + -(-(end - start) // VECTOR) * VECTOR
        query = q[rows].transpose(0, 1).contiguous()  # (heads, queries, d/heads)
        keys = k[start:stop].transpose(0, 1).contiguous()  # (heads, width, d/heads)
        values = v[start:stop].transpose(0, 1).contiguous()  # (heads, width, d/heads)
        scores = torch.bmm(query, keys.transpose(1, 2))  # (heads, queries, width)
        scores[:, :, end - start :] = -torch.inf
        mixed[rows] = torch.bmm(scores.softmax(dim=-1), values).transpose(0, 1)
    return mixed


def to_device(array: np.ndarray, device: str) -> Tensor:
    """A tensor on ``device``; to a GPU through pinned memory, without waiting for the copy."""
    tensor = torch.from_numpy(array)
    if device == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
