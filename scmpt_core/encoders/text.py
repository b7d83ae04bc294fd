"""Any sentence-transformers model over cell sentences, with each gene tokenised once.

BERT's pre-tokeniser splits at spaces, so the ids of a sentence are the ids of its genes one
after the other; tokenising every sentence anew would do the same work thousands of times.
"""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import torch

from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.encoders.base import EncoderInfo
from scmpt_core.encoders.batching import token_batches
from scmpt_core.encoders.scgpt.checkpoint import file_sha256
from scmpt_core.errors import MissingComponent
from scmpt_core.progress import Meter, Progress
from scmpt_core.sentences import VERSION as SENTENCE_VERSION
from scmpt_core.sentences import rank_genes

VERSION = 1  # raise when a change here alters any embedding
TOKEN_BUDGET = 16_384


class TextEncoder:
    """A sentence-transformers folder on a device; pooling and normalisation are the folder's."""

    def __init__(self, info: EncoderInfo, folder: Path, device: Device) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # progress is reported by us, in one form
        self.info, self.device = info, device
        self.sha256 = file_sha256(_weights(folder))
        model = SentenceTransformer(str(folder), device=device.name, local_files_only=True)
        self.model = model.to(device.dtype).eval()
        self.tokenizer = self.model.tokenizer
        self.max_tokens = int(self.model.max_seq_length)

    def identity(self) -> dict:
        """Weights, number format, window, and versions of sentence and preprocessing."""
        return {
            "encoder": self.info.name,
            "weights_sha256": self.sha256,
            "dtype": self.device.dtype_name,
            "max_tokens": self.max_tokens,
            "sentence": "plain",
            "version": [VERSION, SENTENCE_VERSION],
        }

    def encode(self, cells: Cells, progress: Progress) -> np.ndarray:
        """Embeddings of the cells' sentences, (cells, dimension) float32."""
        ids, lengths = self.token_ids(cells)
        out = np.empty((len(cells), self.info.dimension), dtype=np.float32)
        meter = Meter(progress, len(cells), "cells", self.info.name)
        for which in token_batches(lengths, TOKEN_BUDGET):
            out[which] = self._forward(ids[which, : lengths[which].max()], lengths[which])
            meter.add(len(which))
        return out

    def token_ids(self, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Ids with special tokens, (cells, max_tokens), and lengths, (cells,).

        Equal to the tokenizer's own on the joined sentence, truncation included.
        """
        ranked = rank_genes(cells)
        indptr, pieces = self._pieces(cells.genes)
        tok = self.tokenizer
        ids = np.full((len(cells), self.max_tokens), tok.pad_token_id, dtype=np.int64)
        lengths = np.empty(len(cells), dtype=np.int64)
        ends = (tok.cls_token_id, tok.sep_token_id)
        _join(ranked.indptr, ranked.genes, indptr, pieces, *ends, ids, lengths)
        return ids, lengths

    def window(self, cells: Cells) -> np.ndarray:
        """Genes by how often they stand, whole, within the window."""
        ranked = rank_genes(cells)
        indptr, _ = self._pieces(cells.genes)
        sizes = np.diff(indptr)
        counts = np.zeros(len(cells.genes))
        for cell in range(len(cells)):
            genes = ranked.of(cell)[: self.max_tokens]
            counts[genes[np.cumsum(sizes[genes]) <= self.max_tokens - 2]] += 1
        return counts / max(counts.sum(), 1)

    def _pieces(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ragged word pieces of each gene."""
        encoded = self.tokenizer([str(g) for g in genes], add_special_tokens=False, verbose=False)
        lists = encoded["input_ids"]
        indptr = np.concatenate([[0], np.cumsum([len(p) for p in lists], dtype=np.int64)])
        return indptr, np.array([i for p in lists for i in p], dtype=np.int64)

    @torch.inference_mode()
    def _forward(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        mask = np.arange(ids.shape[1])[None, :] < lengths[:, None]
        features = {
            "input_ids": torch.from_numpy(ids).to(self.device.name),
            "attention_mask": torch.from_numpy(mask.astype(np.int64)).to(self.device.name),
        }
        return self.model(features)["sentence_embedding"].float().cpu().numpy()


@numba.njit(cache=True)
def _join(cell_indptr, genes, indptr, pieces, cls_id, sep_id, ids, lengths):
    limit = ids.shape[1] - 1  # room for the closing token
    for cell in range(len(lengths)):
        ids[cell, 0] = cls_id
        n = 1
        for j in range(cell_indptr[cell], cell_indptr[cell + 1]):
            for k in range(indptr[genes[j]], indptr[genes[j] + 1]):
                if n < limit:
                    ids[cell, n] = pieces[k]
                    n += 1
            if n >= limit:
                break
        ids[cell, n] = sep_id
        lengths[cell] = n + 1


def _weights(folder: Path) -> Path:
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return folder / name
    raise MissingComponent(f"{folder} holds no model.safetensors.", "Copy the whole model there.")
