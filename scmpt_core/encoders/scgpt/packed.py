"""scGPT for embedding only: packed cells, and what depends on a gene or a bin alone looked up.

A gene's input vector (embedding and normalisation) and a bin's (two linear layers and a
normalisation) are the same in every cell, so both are computed once, when the model is read.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from scmpt_core.device import Device
from scmpt_core.encoders.packed import PackedLayer, PackedStack, Packing, to_device
from scmpt_core.encoders.scgpt.model import Layer, ScGPT

BLOCK = 8_192  # genes normalised at once: whole-human's table at once would double its memory


class PackedScGPT:
    """The frozen stack of a :class:`ScGPT` on a device, read once."""

    def __init__(self, model: ScGPT, device: Device) -> None:
        self.device = device.name
        with torch.inference_mode():
            self.genes = _gene_table(model).to(device.name, device.dtype)  # (genes, d)
            self.lowest = int(min(model.config.pad_value, model.config.mask_value, 0.0))
            values = torch.arange(self.lowest, model.config.n_bins + 1).float()
            self.values = model.value_encoder(values).to(device.name, device.dtype)  # (bins, d)
            layers = model.transformer_encoder["layers"]
            packed = tuple(_layer(layer).to(device.name, device.dtype) for layer in layers)
        self.stack = PackedStack(packed, model.config.nheads, F.relu_)

    @torch.inference_mode()
    def __call__(self, ids: np.ndarray, values: np.ndarray, lengths: np.ndarray) -> Tensor:
        """Embed one batch.

        Parameters
        ----------
        ids
            Vocabulary ids of all tokens, cell after cell, each cell's ``<cls>`` first, (tokens,).
        values
            Their bins; ``pad_value`` at ``<cls>``, (tokens,) integers.
        lengths
            Tokens per cell, ``<cls>`` included, (cells,).

        Returns
        -------
        (cells, d) float32, each of length 1, on the device.
        """
        packing = Packing.of(lengths, self.device)
        x = self.genes[to_device(ids, self.device)]
        x += self.values[to_device(values - self.lowest, self.device)]
        return F.normalize(self.stack(x, packing, first_only=True).float(), dim=1)


def _gene_table(model: ScGPT) -> Tensor:
    encoder = model.encoder
    rows = encoder.embedding.weight.split(BLOCK)
    return torch.cat([encoder.enc_norm(block) for block in rows])


def _layer(layer: Layer) -> PackedLayer:
    attention = layer.self_attn
    return PackedLayer.of(
        attention.heads, (attention.in_proj_weight, attention.in_proj_bias), attention.out_proj,
        layer.norm1, layer.linear1, layer.linear2, layer.norm2,
    )  # fmt: skip
