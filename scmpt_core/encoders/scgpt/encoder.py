"""Frozen scGPT: cells → L2-normalised ``<cls>`` vectors."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.encoders.base import EncoderInfo, LongCells, check_width
from scmpt_core.encoders.batching import CHUNK, Budget, encode_batches
from scmpt_core.encoders.scgpt.checkpoint import Checkpoint
from scmpt_core.encoders.scgpt.packed import PackedScGPT
from scmpt_core.encoders.scgpt.tokens import GeneTokens, TokenRows
from scmpt_core.progress import Meter, Progress

VERSION = 2  # raise when a change here, in packed.py or in tokens.py alters any embedding


class ScGPTEncoder:
    """A checkpoint on a device.

    Parameters
    ----------
    long_cells
        Which genes a cell keeps that expresses more than the model reads; see
        :class:`~scmpt_core.encoders.scgpt.tokens.GeneTokens`.
    """

    def __init__(
        self,
        info: EncoderInfo,
        checkpoint: Checkpoint,
        device: Device,
        long_cells: LongCells = "random",
    ) -> None:
        self.info, self.checkpoint, self.device = info, checkpoint, device
        self.model, self.long_cells = checkpoint.model, long_cells
        self.chunk, self.budget = CHUNK[device.name], Budget.of(device.name)
        check_width(info, checkpoint.model.config.embsize)
        self.packed = PackedScGPT(self.model, device)

    def identity(self) -> dict:
        """Weights, number format, length limit, what fills it, and preprocessing version."""
        return {
            "encoder": self.info.name,
            "weights_sha256": self.checkpoint.sha256,
            "dtype": self.device.dtype_name,
            "max_length": self.model.config.max_length,
            "long_cells": self.long_cells,
            "version": VERSION,
        }

    def encode(self, cells: Cells, progress: Progress) -> np.ndarray:
        """Embeddings, (cells, embsize) float32, each of length 1."""
        tokens, config = self.tokens(cells), self.model.config
        cls = (self.checkpoint.vocabulary["<cls>"], int(config.pad_value))

        def forward(rows: TokenRows) -> Tensor:
            return self.packed(rows.ids, rows.values, rows.lengths)

        out = np.empty((len(cells), self.info.dimension), dtype=np.float32)
        meter = Meter(progress, len(cells), "cells", self.info.name)
        encode_batches(
            tokens.lengths + 1, lambda which: tokens.rows(which, cls), forward, out,
            self.budget, meter,
        )  # fmt: skip
        return out

    def window(self, cells: Cells) -> np.ndarray:
        """Every expressed gene of the vocabulary counts alike."""
        vocabulary = self.checkpoint.vocabulary
        known = np.array([gene in vocabulary for gene in cells.genes], dtype=float)
        counts = np.bincount(cells.expression.indices, minlength=len(cells.genes)) * known
        return counts / max(counts.sum(), 1)

    def deciding_genes(self, cell: Cells) -> np.ndarray:
        """Columns of one cell's genes without any of which the encoder would read otherwise.

        All of the vocabulary, also those that a long cell has too many of: the quantiles of all
        values are the edges of the bins.
        """
        columns = np.sort(cell.expression.indices)
        return columns[self.tokens(cell).gene_ids[columns] >= 0]

    def tokens(self, cells: Cells) -> GeneTokens:
        """What the model reads of ``cells``, ``<cls>`` not included."""
        config, room = self.model.config, self.model.config.max_length - 1
        return GeneTokens(cells, self.checkpoint.vocabulary, config.n_bins, room, self.long_cells)
