"""A BERT for embedding only, over packed sentences (Devlin et al. 2019, arXiv 1810.04805)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scmpt_core.device import Device
from scmpt_core.encoders.packed import Norm, PackedLayer, PackedStack, Packing, to_device

ACTIVATIONS = {"gelu": F.gelu, "relu": F.relu_}  # "gelu" is the exact one, by the error function


def packs(model: nn.Module) -> bool:
    """Whether ``model`` is a plain BERT, the only architecture of text that is packed."""
    config = getattr(model, "config", None)
    return (
        type(model).__name__ == "BertModel"
        and not config.is_decoder
        and not config.add_cross_attention
        and config.hidden_act in ACTIVATIONS
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
    )


class PackedBert:
    """The frozen stack of a ``transformers.BertModel`` on a device, read once."""

    def __init__(self, model: nn.Module, device: Device) -> None:
        embeddings, heads = model.embeddings, model.config.num_attention_heads
        target = (device.name, device.dtype)
        with torch.inference_mode():
            self.words = embeddings.word_embeddings.weight.to(*target)  # (pieces, d)
            kind = embeddings.token_type_embeddings.weight[0]  # a sentence alone is of kind 0
            self.places = (embeddings.position_embeddings.weight + kind).to(*target)
            self.norm = Norm.of(embeddings.LayerNorm).to(*target)
            layers = tuple(_layer(layer, heads).to(*target) for layer in model.encoder.layer)
        self.device = device.name
        self.stack = PackedStack(layers, heads, ACTIVATIONS[model.config.hidden_act])

    @torch.inference_mode()
    def __call__(self, ids: np.ndarray, packing: Packing, first_only: bool) -> Tensor:
        """Token vectors of one batch.

        Parameters
        ----------
        ids
            Word pieces of all sentences one after the other, special tokens included, (tokens,).
        first_only
            Only each sentence's ``[CLS]``, (sentences, d); otherwise all tokens, (tokens, d).
        """
        places = np.concatenate([np.arange(end - start) for start, end in packing.bounds])
        x = self.words[to_device(ids, self.device)]
        x += self.places[to_device(places, self.device)]
        return self.stack(self.norm(x), packing, first_only)


def _layer(layer: nn.Module, heads: int) -> PackedLayer:
    attention = layer.attention.self
    projections = (attention.query, attention.key, attention.value)
    qkv = (torch.cat([p.weight for p in projections]), torch.cat([p.bias for p in projections]))
    return PackedLayer.of(
        heads, qkv, layer.attention.output.dense, layer.attention.output.LayerNorm,
        layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm,
    )  # fmt: skip
