"""What scgpt-mini is trained with: decoders, a teacher from the data alone, and the losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scmpt_core.encoders.scgpt.model import Layer, ScGPT
from scripts.mini_data import File


@dataclass(frozen=True, eq=False)
class Teacher:
    """Principal components of the unlabelled cells, within files.

    Each file is centred, so that which file a cell comes from is not in the scores, and counts
    by the square root of its size, so that small files of rare tissues are heard.
    """

    components: np.ndarray  # (dimensions, genes)
    singular: np.ndarray  # (dimensions,)

    def scores(self, expression: sp.csr_matrix) -> np.ndarray:
        """(cells, dimensions) float32, not centred; scaled by singular value ** -0.5.

        The scaling lets the smaller components, which tell close types apart, count too.
        """
        scale = self.singular**-0.5
        return np.asarray(expression @ (self.components.T * scale), dtype=np.float32)


def fit_teacher(files: list[File], dimensions: int, seed: int) -> Teacher:
    """Randomised SVD of the pooled, file-centred log expression; nothing becomes dense."""
    sizes = np.array([f.expression.shape[0] for f in files])
    weight = np.repeat(sizes**-0.25, sizes).astype(np.float32)  # a file counts sizes**0.5 in total
    cells = sp.vstack([f.expression for f in files]).multiply(weight[:, None]).tocsr()
    means = np.stack([np.asarray(f.expression.mean(axis=0)).ravel() for f in files])
    member = np.repeat(np.arange(len(files)), sizes)
    cells, means, weight = cells.astype(np.float32), means.astype(np.float32), weight[:, None]
    wanted = min(dimensions, min(cells.shape) - 1)

    def centred(basis: np.ndarray) -> np.ndarray:
        return cells @ basis - weight * (means @ basis)[member]

    basis = np.random.default_rng(seed).normal(size=(cells.shape[1], wanted + 20))
    basis, by_file = basis.astype(np.float32), np.arange(len(files))[:, None] == member
    for _ in range(2):
        scores = centred(basis)
        basis, _ = np.linalg.qr(cells.T @ scores - means.T @ (by_file @ (weight * scores)))
    _, singular, right = np.linalg.svd(centred(basis), full_matrices=False)
    return Teacher((right @ basis.T)[:wanted], singular[:wanted])


def start_from(model: ScGPT, teacher: Teacher, generator: torch.Generator) -> None:
    """Gene vectors start as the teacher's loadings, turned at random, plus noise.

    The noise keeps the size of a gene's loadings visible behind the layer norm: a gene that
    says nothing starts as mostly noise. Genes that no file measures are left at zero.
    """
    loadings = torch.from_numpy(teacher.components.T * teacher.singular**0.5).float()
    width = model.config.embsize
    turn = torch.randn(loadings.shape[1], width, generator=generator) / width**0.5
    vectors = loadings @ turn
    size = vectors.norm(dim=1)
    top = size.sort(descending=True).values[: min(2000, len(size))].mean()
    noise = torch.randn(vectors.shape, generator=generator) * 0.3
    noise[size == 0] = 0
    table = model.encoder.embedding.weight
    _spread_values(model, generator)
    with torch.no_grad():
        table.normal_(std=0.3, generator=generator)  # the special tokens keep this
        table[: len(vectors)] = vectors / top * width**0.5 + noise


def _spread_values(model: ScGPT, generator: torch.Generator) -> None:
    """Let each unit of the value encoder bend at another bin.

    With PyTorch's weights every unit bends near 0 and, behind the layer norm, a gene in bin 20
    looks like one in bin 50. Half of the bends lie in the upper quarter, where genes differ most.
    """
    first, top = model.value_encoder.linear1, model.config.n_bins
    place = torch.rand(len(first.bias), generator=generator)
    place[::2] = 0.75 + 0.25 * place[::2]
    sign = torch.randint(0, 2, place.shape, generator=generator) * 2.0 - 1.0
    with torch.no_grad():
        first.weight[:, 0] = sign * 8 / top
        first.bias.copy_(-first.weight[:, 0] * place * top)


class Heads(nn.Module):
    """Upstream's ``ExprDecoder`` and inner-product ``MVCDecoder``, and the map to the teacher.

    Dropped after training.
    """

    def __init__(self, dim: int, teacher: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(dim, dim), nn.LeakyReLU(), nn.Linear(dim, dim), nn.LeakyReLU(),
            nn.Linear(dim, 1),
        )  # fmt: skip
        self.gene2query = nn.Linear(dim, dim)
        self.W = nn.Linear(dim, dim, bias=False)
        self.to_teacher = nn.Linear(dim, teacher)
        nn.init.zeros_(self.W.weight)  # start from "no gene is expressed", not from noise

    def from_cls(self, cls: Tensor, genes: Tensor) -> Tensor:
        """(cells, d) and gene vectors (cells, genes, d) → values (cells, genes)."""
        return (self.W(torch.sigmoid(self.gene2query(genes))) @ cls.unsqueeze(2)).squeeze(2)


def forward(model: ScGPT, ids: Tensor, values: Tensor, padding: Tensor, outputs: int) -> Tensor:
    """The first ``outputs`` positions of ``model(ids, values, padding)``, with less work.

    Values are few and whole, so their vectors are computed once each and looked up; the last
    layer computes only the positions that a loss reads.
    """
    low = int(model.config.pad_value)
    table = model.value_encoder(
        torch.arange(low, model.config.n_bins, dtype=torch.float32, device=ids.device)
    )
    x = model.encoder(ids) + F.embedding(values.long() - low, table)
    mask = ~padding[:, None, None, :]
    layers = model.transformer_encoder["layers"]
    for layer in layers[:-1]:
        x = _layer(layer, x, mask, x.shape[1])
    return _layer(layers[-1], x, mask, outputs)


def _layer(layer: Layer, x: Tensor, mask: Tensor, outputs: int) -> Tensor:
    """The first ``outputs`` positions of ``layer(x, mask)``; its gradient needs fewer copies."""
    attention, dim = layer.self_attn, x.shape[-1]
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    head = x[:, :outputs]

    def heads(y: Tensor) -> Tensor:
        return y.view(*y.shape[:2], attention.heads, -1).transpose(1, 2)

    query = heads(F.linear(head, weight[:dim], bias[:dim]))
    key, value = F.linear(x, weight[dim:], bias[dim:]).chunk(2, dim=-1)
    out = F.scaled_dot_product_attention(query, heads(key), heads(value), attn_mask=mask)
    y = layer.norm1(head + attention.out_proj(out.transpose(1, 2).reshape(head.shape)))
    return layer.norm2(y + layer.linear2(F.relu(layer.linear1(y))))


def distil_losses(cls: Tensor, mapped: Tensor, target: Tensor, temperature: float) -> list[Tensor]:
    """How far ``cls`` is from the teacher, within one file.

    Parameters
    ----------
    cls, mapped, target
        (cells, d), (cells, dimensions), (cells, dimensions); centred here, so that nothing is
        gained by knowing the file.

    Returns
    -------
    The regression error as a share of the target's variance; the InfoNCE loss of picking a
    cell's own target among those of its file; 1 − centred kernel alignment of ``cls`` with the
    target, which gives the embedding itself, not only a map of it, the geometry of the cells.
    """
    cls, mapped, target = (v - v.mean(dim=0) for v in (cls, mapped, target))
    regression = F.mse_loss(mapped, target) / target.pow(2).mean()
    logits = F.normalize(mapped, dim=1) @ F.normalize(target, dim=1).T / temperature
    contrast = F.cross_entropy(logits, torch.arange(len(cls), device=cls.device))
    mine, theirs = cls @ cls.T, target @ target.T
    return [regression, contrast, 1 - F.cosine_similarity(mine.flatten(), theirs.flatten(), dim=0)]
