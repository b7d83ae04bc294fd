"""What a perturbation may look at, for one encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import scipy.sparse as sp

from scmpt_core.ablations.base import Context
from scmpt_core.cells import Cells
from scmpt_core.encoders import Encoder, get_spec
from scmpt_core.encoders.text import TextEncoder


def context_of(
    encoder: Encoder,
    cells: Cells,
    codes: np.ndarray,
    means: np.ndarray,
    known: np.ndarray,
    markers: Sequence[frozenset[str]],
    gene_set: frozenset[str],
) -> Context:
    """For ``cells`` that ``encoder`` will read; the rest as in :class:`Context`."""
    window = genes_read(encoder, cells) if isinstance(encoder, TextEncoder) else None
    return Context(
        encoder.info.modality, window, codes, means, known, tuple(markers), gene_set
    )  # fmt: skip


def genes_read(encoder: TextEncoder, cells: Cells) -> np.ndarray:
    """Genes of each cell that stand in the encoder's window, the last perhaps in part, (cells,)."""
    rows, owners = encoder.token_ids(cells), encoder.token_genes(cells)
    # pieces of one gene stand together, so each change of owner to a gene starts a new one
    starts = (owners >= 0) & (owners != np.concatenate([[-1], owners[:-1]]))
    return np.add.reduceat(starts, rows.indptr[:-1]) if len(cells) else np.zeros(0, int)


def known_to_all(encoders: Iterable[str], genes: np.ndarray) -> np.ndarray:
    """Whether each of the encoders has a weight for the gene, (genes,) bool."""
    vocabularies = [get_spec(name).vocabulary() for name in encoders]
    masks = [np.isin(genes, list(v)) for v in vocabularies if v is not None]
    return np.all([np.ones(len(genes), bool), *masks], axis=0)


def mean_expression(cells: Cells, rows: np.ndarray) -> np.ndarray:
    """Mean log expression of each gene over the cells ``rows``, (genes,)."""
    return np.asarray(sp.csr_matrix(cells.expression[rows]).mean(axis=0)).ravel()
