"""From what an encoder reads to its embedding, differentiable: one kind a modality.

Each is the encoder's own network in float32 on its own input, so that what is explained is what
is computed; tests hold the end of each path to :meth:`Encoder.encode`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scmpt_core.cells import Cells
from scmpt_core.encoders import Encoder, PCAEncoder
from scmpt_core.encoders.scgpt import ScGPTEncoder
from scmpt_core.encoders.text import TextEncoder
from scmpt_core.errors import SettingError


@dataclass(frozen=True, eq=False)
class InputPath:
    """The end and the start of a path through one encoder's input, for one cell.

    Parameters
    ----------
    end, start
        The cell's input and the baseline's, (1, …), alike in shape; they differ only where a
        gene stands.
    owners
        Column of the cell that each place along the second axis stands for, (places,); −1: none.
    embed
        (batch, …) → embeddings, (batch, dimension), float32.
    """

    end: Tensor
    start: Tensor
    owners: np.ndarray
    embed: Callable[[Tensor], Tensor]

    @property
    def columns(self) -> np.ndarray:
        """Columns of the genes that are read, rising."""
        return np.unique(self.owners[self.owners >= 0])

    def per_gene(self, scores: Tensor, columns: np.ndarray) -> np.ndarray:
        """Scores of the input, (1, places, …), summed over each gene of ``columns``, (genes,)."""
        each = scores[0].flatten(1).sum(dim=1) if scores.dim() > 2 else scores[0]
        values, out = each.cpu().double().numpy(), np.zeros(len(columns))
        mine = self.owners >= 0
        np.add.at(out, np.searchsorted(columns, self.owners[mine]), values[mine])
        return out


def path_of(
    encoder: Encoder, cell: Cells, text_baseline: str, scgpt: str, device: str
) -> InputPath:
    """The path of ``encoder``, its tensors on ``device``; the other strings: :class:`Options`.

    Raises
    ------
    SettingError
        There is no path through this kind of encoder.
    """
    if isinstance(encoder, TextEncoder):
        return text_path(encoder, cell, text_baseline)
    if isinstance(encoder, ScGPTEncoder):
        return scgpt_path(encoder, cell, scgpt)
    if isinstance(encoder, PCAEncoder):
        return pca_path(encoder, cell, device)
    raise SettingError(
        f"Gradients through {encoder.info.name} are not known.", "Use lime, occlusion or shap."
    )


def text_path(encoder: TextEncoder, cell: Cells, baseline: str) -> InputPath:
    """Word vectors; at the start each gene's pieces are ``[PAD]`` or ``[MASK]``.

    ``[CLS]``, ``[SEP]``, words of the sentence that are no genes, the length and the mask stay
    (places are added behind the words).
    """
    rows, owners = encoder.token_ids(cell), encoder.token_genes(cell)
    device = encoder.device.name
    bert, *heads = (_frozen(module, device) for module in encoder.model)
    network = bert.auto_model
    ids = torch.from_numpy(rows.ids).to(device)
    tokenizer = encoder.tokenizer
    blank = tokenizer.pad_token_id if baseline == "pad" else tokenizer.mask_token_id
    gone = torch.where(torch.from_numpy(owners >= 0).to(device), blank, ids)
    words = network.get_input_embeddings()

    def embed(x: Tensor) -> Tensor:
        mask = torch.ones(x.shape[:2], dtype=torch.int64, device=device)
        tokens = network(inputs_embeds=x, attention_mask=mask).last_hidden_state
        features = {"token_embeddings": tokens, "attention_mask": mask,
                    "cls_token_embeddings": tokens[:, 0]}  # fmt: skip
        for module in heads:
            features = module(features)
        return features["sentence_embedding"].float()

    return InputPath(words(ids)[None], words(gone)[None], owners, embed)


def scgpt_path(encoder: ScGPTEncoder, cell: Cells, kind: str) -> InputPath:
    """Gene and value vectors towards those of ``<pad>``, or binned values towards 0."""
    vocabulary, device = encoder.checkpoint.vocabulary, encoder.device.name
    model, config = _frozen(encoder.model, device), encoder.model.config
    tokens = encoder.tokens(cell)
    rows = tokens.rows(np.arange(1), (vocabulary["<cls>"], int(config.pad_value)))
    column = {int(g): i for i, g in enumerate(tokens.gene_ids) if g >= 0}
    owners = np.array([column.get(int(token), -1) for token in rows.ids])
    owners[0] = -1  # <cls>
    ids, values = (torch.from_numpy(a).to(device) for a in (rows.ids, rows.values))
    genes, gene = torch.from_numpy(owners >= 0).to(device), model.encoder(ids[None])

    def stack(x: Tensor) -> Tensor:
        for layer in model.transformer_encoder["layers"]:
            x = layer(x, None)
        return F.normalize(x[:, 0], dim=1)

    if kind == "value":
        end = values.float()[None]
        start = torch.where(genes, 0.0, end)
        return InputPath(end, start, owners, lambda v: stack(gene + model.value_encoder(v)))
    end = gene + model.value_encoder(values.float()[None])
    pad = torch.tensor([[vocabulary["<pad>"]]], device=device)
    blank = model.encoder(pad) + model.value_encoder(
        torch.full((1, 1), config.pad_value).to(device)
    )
    return InputPath(end, torch.where(genes[None, :, None], blank, end), owners, stack)


def _frozen(module: nn.Module, device: str) -> nn.Module:
    """The module on the device, without gradients of its own."""
    if other := {p.dtype for p in module.parameters()} - {torch.float32}:
        raise ValueError(f"a module computes in {other}; see exact_encoders")
    return module.to(device).requires_grad_(False)


def pca_path(encoder: PCAEncoder, cell: Cells, device: str) -> InputPath:
    """Log expression towards 0: linear, so the scores are exact."""
    place = {gene: i for i, gene in enumerate(encoder.genes)}
    theirs = np.array([place.get(gene, -1) for gene in cell.genes])
    shared = theirs[theirs >= 0]
    centre = torch.from_numpy(encoder.components[:, shared] @ encoder.mean[shared])
    x = cell.expression.sorted_indices()
    known = theirs[x.indices] >= 0
    owners = x.indices[known].astype(np.int64)
    loadings = torch.from_numpy(encoder.components[:, theirs[owners]].T.copy())  # (genes, 50)
    end = torch.from_numpy(x.data[known].copy())[None].to(device)
    return InputPath(
        end, torch.zeros_like(end), owners,
        lambda v: v @ loadings.to(v) - centre.to(v),
    )  # fmt: skip
