"""Any sentence-transformers model over cell sentences, with each gene tokenised once.

BERT's pre-tokeniser splits at spaces, so the ids of a sentence are the ids of its words (genes,
however a format spells them, and the format's own) one after the other; tokenising every sentence
anew would do the same work thousands of times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numba
import numpy as np
import torch
from torch import Tensor

from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.encoders.base import EncoderInfo, check_width
from scmpt_core.encoders.batching import CHUNK, Budget, encode_batches
from scmpt_core.encoders.bert import PackedBert, packs
from scmpt_core.encoders.packed import Packing
from scmpt_core.encoders.scgpt.checkpoint import file_sha256
from scmpt_core.errors import MissingComponent
from scmpt_core.progress import Meter, Progress
from scmpt_core.sentences import PLAIN, Format
from scmpt_core.sentences import VERSION as SENTENCE_VERSION

VERSION = 2  # raise when a change here, in bert.py or in packed.py alters any embedding


@dataclass(frozen=True)
class TextRows:
    """Ragged word pieces of many sentences, special tokens included."""

    indptr: np.ndarray  # (cells + 1,)
    ids: np.ndarray  # (tokens,) int64

    @property
    def lengths(self) -> np.ndarray:
        """Tokens per cell, (cells,)."""
        return np.diff(self.indptr)

    def take(self, which: np.ndarray) -> TextRows:
        """The rows ``which``, in that order."""
        lengths = self.lengths[which]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        shift = np.repeat(self.indptr[which] - indptr[:-1], lengths)
        return TextRows(indptr, self.ids[np.arange(indptr[-1]) + shift])


class TextEncoder:
    """A sentence-transformers folder on a device; pooling and normalisation are the folder's.

    Parameters
    ----------
    sentence
        How cells are written, plain by default. Where that is fitted to cells, so is the encoder.
    """

    def __init__(
        self, info: EncoderInfo, folder: Path, device: Device, sentence: Format | None = None
    ) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # progress is reported by us, in one form
        self.sentence = sentence or PLAIN.make("")
        self.info = replace(info, fitted=self.sentence.info.fitted)
        self.device, self.chunk = device, CHUNK[device.name]
        self.sha256 = file_sha256(_weights(folder))
        self.model = SentenceTransformer(str(folder), device="cpu", local_files_only=True).eval()
        check_width(info, self.model.get_embedding_dimension())
        self.budget, self.tokenizer = Budget.of(device.name), self.model.tokenizer
        self.max_tokens = int(self.model.max_seq_length)
        self._pieces_of: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        transformer, *self.heads = self.model
        bert = getattr(transformer, "auto_model", None)
        self.packed = PackedBert(bert, device) if packs(bert) and self.heads else None
        for module in self.heads if self.packed else self.model:
            # pooling and normalisation in float32: they cost nothing, and a length of 1 stays 1
            module.to(device.name, torch.float32 if self.packed else device.dtype)

    def identity(self) -> dict:
        """Weights, number format, window, and versions of sentence and preprocessing."""
        return {
            "encoder": self.info.name,
            "weights_sha256": self.sha256,
            "dtype": self.device.dtype_name,
            "max_tokens": self.max_tokens,
            "sentence": self.sentence.identity(),
            "version": [VERSION, SENTENCE_VERSION],
        }

    def fit(self, cells: Cells) -> TextEncoder:
        """Fit the sentences to ``cells``; the network stays as it is."""
        self.sentence = self.sentence.fit(cells)
        return self

    def state(self) -> dict[str, np.ndarray]:
        """Arrays of the sentences' fit to save, besides the genes."""
        return self.sentence.state()

    def restore(self, genes: np.ndarray, state: dict[str, np.ndarray]) -> TextEncoder:
        """Put a saved fit back."""
        self.sentence = self.sentence.restore(genes, state)
        return self

    def encode(self, cells: Cells, progress: Progress) -> np.ndarray:
        """Embeddings of the cells' sentences, (cells, dimension) float32."""
        rows = self.token_ids(cells)
        out = np.empty((len(cells), self.info.dimension), dtype=np.float32)
        meter = Meter(progress, len(cells), "cells", self.info.name)
        forward = self._packed if self.packed else self._padded
        encode_batches(rows.lengths, rows.take, forward, out, self.budget, meter)
        return out

    def token_ids(self, cells: Cells) -> TextRows:
        """Ids with special tokens: the tokenizer's own on the joined sentence, truncated."""
        words = self.sentence.arrange(cells)
        pieces_at, pieces = self._pieces(cells.genes)
        tok, room = self.tokenizer, self.max_tokens - 2
        lengths = _lengths(words.indptr, words.words, pieces_at, room)
        indptr = np.concatenate([[0], np.cumsum(lengths + 2)])
        ids = np.empty(indptr[-1], dtype=np.int64)
        ids[indptr[:-1]], ids[indptr[1:] - 1] = tok.cls_token_id, tok.sep_token_id
        _join(words.indptr, words.words, pieces_at, pieces, indptr, ids)
        return TextRows(indptr, ids)

    def window(self, cells: Cells) -> np.ndarray:
        """Genes by how often they stand, whole, within the window."""
        words = self.sentence.arrange(cells)
        indptr, _ = self._pieces(cells.genes)
        sizes = np.diff(indptr)
        counts = np.zeros(len(sizes))
        for cell in range(len(cells)):
            read = words.of(cell)[: self.max_tokens]
            counts[read[np.cumsum(sizes[read]) <= self.max_tokens - 2]] += 1
        counts = counts[: len(cells.genes)]  # without the format's own words
        return counts / max(counts.sum(), 1)

    def token_genes(self, cells: Cells) -> np.ndarray:
        """The column of ``cells`` that each of :meth:`token_ids` stands for, (tokens,); −1: none.

        ``[CLS]``, ``[SEP]`` and the format's own words stand for no gene; the last gene may have
        only some of its pieces.
        """
        words, rows = self.sentence.arrange(cells), self.token_ids(cells)
        indptr, _ = self._pieces(cells.genes)
        out = np.full(len(rows.ids), -1)
        for cell, (start, length) in enumerate(zip(rows.indptr[:-1], rows.lengths, strict=True)):
            read = words.of(cell)[: self.max_tokens]
            owners = np.repeat(read, np.diff(indptr)[read])[: length - 2]
            out[start + 1 : start + 1 + len(owners)] = owners
        out[out >= len(cells.genes)] = -1
        return out

    def deciding_genes(self, cell: Cells) -> np.ndarray:
        """Columns of one cell's genes without any of which the encoder would read otherwise.

        They are those that it reads. Where a format gathers genes in levels, the rest of the last
        level that it begins to read decides too: without one of them, another comes up into it.
        """
        words = self.sentence.arrange(cell).of(0)
        indptr, _ = self._pieces(cell.genes)
        begins = np.cumsum(np.diff(indptr)[words]) - np.diff(indptr)[words]
        end = int(np.searchsorted(begins, self.max_tokens - 2))  # words that it reads, or begins to
        if self.sentence.info.levels:
            behind = np.flatnonzero(words[end:] >= len(cell.genes))
            end = end + int(behind[0]) if len(behind) else len(words)
        read = words[:end]
        return np.sort(read[read < len(cell.genes)])

    def _pieces(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ragged word pieces of each gene, then of the format's own words.

        Those of the last genes asked for are kept.
        """
        last = self._pieces_of
        if last is None or (last[0] is not genes and not np.array_equal(last[0], genes)):
            encoded = self.tokenizer(
                [*self.sentence.spell(genes), *self.sentence.literals],
                add_special_tokens=False, verbose=False,
            )  # fmt: skip
            lists = encoded["input_ids"]
            indptr = np.concatenate([[0], np.cumsum([len(p) for p in lists], dtype=np.int64)])
            pieces = np.array([i for p in lists for i in p], dtype=np.int64)
            last = self._pieces_of = (genes, indptr, pieces)
        return last[1], last[2]

    @torch.inference_mode()
    def _packed(self, rows: TextRows) -> Tensor:
        packing = Packing.of(rows.lengths, self.device.name)
        first_only = getattr(self.heads[0], "pooling_mode", None) == "cls"
        tokens = self.packed(rows.ids, packing, first_only).float()
        features = {"token_embeddings": tokens.unsqueeze(0), "cu_seq_lens_q": packing.offsets}
        if first_only:
            features["cls_token_embeddings"] = tokens
        for module in self.heads:
            features = module(features)
        return features["sentence_embedding"]

    @torch.inference_mode()
    def _padded(self, rows: TextRows) -> Tensor:
        width, device = int(rows.lengths.max()), self.device.name
        mask = np.arange(width)[None, :] < rows.lengths[:, None]
        ids = np.full(mask.shape, self.tokenizer.pad_token_id, dtype=np.int64)
        ids[mask] = rows.ids
        features = {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask.astype(np.int64)).to(device),
        }
        return self.model(features)["sentence_embedding"]


@numba.njit(cache=True, nogil=True)
def _lengths(cell_indptr, words, pieces_at, room):
    lengths = np.empty(len(cell_indptr) - 1, np.int64)
    for cell in range(len(lengths)):
        n = 0
        for j in range(cell_indptr[cell], cell_indptr[cell + 1]):
            n += pieces_at[words[j] + 1] - pieces_at[words[j]]
            if n >= room:
                break
        lengths[cell] = min(n, room)
    return lengths


@numba.njit(cache=True, nogil=True)
def _join(cell_indptr, words, pieces_at, pieces, indptr, ids):
    for cell in range(len(indptr) - 1):
        at, end = indptr[cell] + 1, indptr[cell + 1] - 1  # the last place is the closing token's
        for j in range(cell_indptr[cell], cell_indptr[cell + 1]):
            for k in range(pieces_at[words[j]], pieces_at[words[j] + 1]):
                if at < end:
                    ids[at] = pieces[k]
                    at += 1
            if at >= end:
                break


def _weights(folder: Path) -> Path:
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return folder / name
    raise MissingComponent(f"{folder} holds no model.safetensors.", "Copy the whole model there.")
