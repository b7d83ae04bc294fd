"""Frozen scGPT: cells → L2-normalised ``<cls>`` vectors."""

from __future__ import annotations

import numpy as np
import torch

from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.encoders.base import EncoderInfo
from scmpt_core.encoders.batching import token_batches
from scmpt_core.encoders.scgpt.checkpoint import Checkpoint
from scmpt_core.encoders.scgpt.tokens import TokenRows, pad_batch, tokenise
from scmpt_core.progress import Meter, Progress

VERSION = 1  # raise when a change here or in tokens.py alters any embedding
TOKEN_BUDGET = 16_384  # padded tokens a batch


class ScGPTEncoder:
    """A checkpoint on a device."""

    def __init__(self, info: EncoderInfo, checkpoint: Checkpoint, device: Device) -> None:
        self.info, self.checkpoint, self.device = info, checkpoint, device
        self.model = checkpoint.model.to(device.name, device.dtype)

    def identity(self) -> dict:
        """Weights, number format, length limit and preprocessing version."""
        return {
            "encoder": self.info.name,
            "weights_sha256": self.checkpoint.sha256,
            "dtype": self.device.dtype_name,
            "max_length": self.model.config.max_length,
            "version": VERSION,
        }

    def encode(self, cells: Cells, progress: Progress) -> np.ndarray:
        """Embeddings, (cells, embsize) float32, each of length 1."""
        rows = self._tokens(cells)
        out = np.empty((len(cells), self.info.dimension), dtype=np.float32)
        meter = Meter(progress, len(cells), "cells", self.info.name)
        for which in token_batches(rows.lengths + 1, TOKEN_BUDGET):
            out[which] = self._forward(rows, which)
            meter.add(len(which))
        return out

    def window(self, cells: Cells) -> np.ndarray:
        """Every expressed gene of the vocabulary counts alike."""
        vocabulary = self.checkpoint.vocabulary
        known = np.array([gene in vocabulary for gene in cells.genes], dtype=float)
        counts = np.bincount(cells.expression.indices, minlength=len(cells.genes)) * known
        return counts / max(counts.sum(), 1)

    def _tokens(self, cells: Cells) -> TokenRows:
        config = self.model.config
        return tokenise(cells, self.checkpoint.vocabulary, config.n_bins, config.max_length - 1)

    @torch.inference_mode()
    def _forward(self, rows: TokenRows, which: np.ndarray) -> np.ndarray:
        vocabulary, config = self.checkpoint.vocabulary, self.model.config
        ids, values, padding = pad_batch(
            rows, which, vocabulary["<cls>"], vocabulary["<pad>"], config.pad_value
        )
        ids, values = torch.from_numpy(ids), torch.from_numpy(values)
        mask = torch.from_numpy(padding).to(self.device.name) if padding.any() else None
        out = self.model(ids.to(self.device.name), values.to(self.device.name), mask)
        cls = torch.nn.functional.normalize(out[:, 0].float(), dim=1)  # (cells, d)
        return cls.cpu().numpy()
