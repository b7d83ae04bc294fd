"""Small encoders and cells that several tests use."""

from __future__ import annotations

import anndata as ad
import numpy as np
import scipy.sparse as sp

from scmpt_core.cells import Cells
from scmpt_core.data import Dataset
from scmpt_core.data.labels import candidates
from scmpt_core.encoders import EncoderInfo
from scmpt_core.encoders.scgpt.tokens import GeneTokens, TokenRows


def cells_of(adata: ad.AnnData) -> Cells:
    """Log-normalised cells of a toy AnnData."""
    dense = adata.X.toarray()
    x = np.log1p(dense / np.maximum(dense.sum(axis=1, keepdims=True), 1) * 1e4)
    return Cells(
        sp.csr_matrix(x.astype(np.float32)),
        adata.var_names.to_numpy(str),
        adata.obs_names.to_numpy(str),
    )


def dataset_of(adata: ad.AnnData) -> Dataset:
    """The same as a checked dataset."""
    labels = tuple(candidates(adata.obs))
    return Dataset("toy", adata, "X", "counts", (), cells_of(adata), labels)


class CountingEncoder:
    """Dense expression as the embedding; counts the cells it encodes and can be made to die."""

    def __init__(self, dimension: int = 30, die_after: int | None = None) -> None:
        self.info = EncoderInfo("counting", "expression", dimension, "MIT", "test", "test")
        self.encoded, self.die_after, self.chunk = 0, die_after, 50

    def identity(self) -> dict:
        return {"encoder": "counting", "dimension": self.info.dimension}

    def encode(self, cells: Cells, progress) -> np.ndarray:
        if self.die_after is not None and self.encoded >= self.die_after:
            raise KeyboardInterrupt
        self.encoded += len(cells)
        return cells.expression.toarray()

    def window(self, cells: Cells) -> np.ndarray:
        return np.full(len(cells.genes), 1 / len(cells.genes))


def random_cells(genes: np.ndarray, lengths, seed: int = 0, counts: int = 8) -> Cells:
    """A cell of each of ``lengths`` expressed genes, with few distinct values, so many ties."""
    rng = np.random.default_rng(seed)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    indices = [np.sort(rng.choice(len(genes), n, replace=False)) for n in lengths]
    values = np.log1p(rng.integers(1, counts, indptr[-1])).astype(np.float32)
    matrix = sp.csr_matrix(
        (values, np.concatenate(indices).astype(np.int32), indptr),
        shape=(len(lengths), len(genes)),
    )
    return Cells(matrix, genes, np.array([f"c{i}" for i in range(len(lengths))]))


def tokenise(cells: Cells, vocabulary: dict[str, int], n_bins: int, max_genes: int) -> TokenRows:
    """Tokens of all ``cells``, ``<cls>`` not included."""
    return GeneTokens(cells, vocabulary, n_bins, max_genes).rows(np.arange(len(cells)))
