"""`Cells`: the one value that everything below ``data`` sees."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True, eq=False)
class Cells:
    """Log-normalised expression of cells, with the counts where they are known.

    Parameters
    ----------
    expression
        CSR, float32, (cells, genes), no negative or non-finite value, no stored zero.
    genes
        Unique gene symbols, (genes,).
    ids
        Unique cell ids, (cells,).
    counts
        Raw counts of the same shape, or ``None``.
    normalisation
        How ``expression`` came about, in words; stated in every result.
    tie_seeds
        Seeds of the draws that break ties (:mod:`scmpt_core.seeds`), (cells,) uint64; ``None``:
        from each cell's content. A cell that had genes taken out keeps the seed of the whole
        one, so that the order of the others stays.

    Raises
    ------
    ValueError
        The parts do not fit each other. (What a *file* may hold wrongly is found by
        :mod:`scmpt_core.data.checks` before a ``Cells`` is made.)
    """

    expression: sp.csr_matrix
    genes: np.ndarray
    ids: np.ndarray
    counts: sp.csr_matrix | None = None
    normalisation: str = "log-normalised"
    tie_seeds: np.ndarray | None = None

    def __post_init__(self) -> None:
        expected = (len(self.ids), len(self.genes))
        if self.expression.shape != expected:
            raise ValueError(f"expression is {self.expression.shape}, ids × genes is {expected}")
        if self.counts is not None and self.counts.shape != expected:
            raise ValueError(f"counts are {self.counts.shape}, ids × genes is {expected}")
        if self.tie_seeds is not None and self.tie_seeds.shape != expected[:1]:
            raise ValueError(f"tie seeds are {self.tie_seeds.shape}, cells are {expected[:1]}")
        if len(np.unique(self.genes)) != len(self.genes):
            raise ValueError("gene symbols are not unique")
        data = self.expression.data
        if data.dtype != np.float32:
            raise ValueError(f"expression is {data.dtype}, not float32")
        if data.size and not (np.isfinite(data).all() and data.min() > 0):
            raise ValueError("stored values must be finite and above 0")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray) -> Cells:
        """The cells at ``rows`` (integer positions or a Boolean mask), in that order."""
        counts = None if self.counts is None else self.counts[rows]
        seeds = None if self.tie_seeds is None else self.tie_seeds[rows]
        taken = replace(
            self, expression=self.expression[rows], ids=self.ids[rows], counts=counts,
            tie_seeds=seeds,
        )  # fmt: skip
        taken.__dict__["gene_hashes"] = self.gene_hashes  # the same genes: not hashed again
        return taken

    def restrict(self, genes: set[str]) -> Cells:
        """Only the genes in ``genes``; the values stay as they were normalised."""
        keep = np.array([gene in genes for gene in self.genes], dtype=bool)
        if keep.all():
            return self
        counts = None if self.counts is None else self.counts[:, keep]
        return replace(
            self, expression=self.expression[:, keep], genes=self.genes[keep], counts=counts
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that an encoder sees: genes, expression, tie seeds; not of ids or counts."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update("\n".join(self.genes).encode())
        for array in (self.expression.indptr, self.expression.indices):
            digest.update(np.ascontiguousarray(array, dtype=np.int64))
        digest.update(np.ascontiguousarray(self.expression.data))
        if self.tie_seeds is not None:
            digest.update(np.ascontiguousarray(self.tie_seeds))
        return digest.hexdigest()

    @cached_property
    def gene_hashes(self) -> np.ndarray:
        """A stable 64-bit hash per symbol, (genes,) uint64."""
        hashes = (hashlib.blake2b(g.encode(), digest_size=8).digest() for g in self.genes)
        return np.frombuffer(b"".join(hashes), dtype="<u8")
