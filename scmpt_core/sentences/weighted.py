"""What formats share that rank by expression times a weight of the gene, from training cells."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.errors import ModelError
from scmpt_core.sentences.base import Format, FormatInfo, Words
from scmpt_core.sentences.ranking import rank_genes


class Weighted(Format):
    """Ranks by expression × weight.

    A gene that no training cell expresses, or that training did not measure, weighs as the median
    gene does: what is not known must not lead the sentence.

    Parameters
    ----------
    weigh
        Weight of each gene over cells, (genes,), positive; NaN where no cell expresses it.
    """

    def __init__(self, info: FormatInfo, weigh: Callable[[Cells], np.ndarray]) -> None:
        super().__init__(info)
        self.weigh = weigh
        self.genes = np.array([], dtype=str)
        self.weights = np.zeros(0, np.float32)  # (genes,)
        self.neutral = np.float32(np.nan)

    def fit(self, cells: Cells) -> Weighted:
        """The weights over ``cells``.

        Raises
        ------
        ModelError
            None of them expresses a gene.
        """
        weights = self.weigh(cells)
        known = np.isfinite(weights)
        if not known.any():
            raise ModelError(
                f"None of the {len(cells):,} cells expresses a gene, so {self.info.name} cannot "
                "weigh any.",
                "Give cells with expressed genes.",
            )
        neutral = np.median(weights[known]).astype(np.float32)
        return self._with(cells.genes, np.where(known, weights, neutral), neutral)

    def arrange(self, cells: Cells) -> Words:
        """Genes by falling expression × weight.

        Raises
        ------
        ModelError
            It was not fitted.
        """
        if not len(self.genes):
            raise ModelError(f"The sentences {self.info.name} were not fitted.", "Fit them first.")
        ranked = rank_genes(cells, self.weights_of(cells.genes))
        return Words(ranked.indptr, ranked.genes)

    def weights_of(self, genes: np.ndarray) -> np.ndarray:
        """The weight of each of ``genes``, (genes,) float32."""
        if genes is self.genes or np.array_equal(genes, self.genes):
            return self.weights
        known = dict(zip(self.genes, self.weights, strict=True))
        return np.array([known.get(gene, self.neutral) for gene in genes], dtype=np.float32)

    def identity(self) -> dict:
        """With the hash of the fit, hence of the cells it was fitted to."""
        digest = hashlib.blake2b("\n".join(self.genes).encode(), digest_size=16)
        digest.update(self.weights.tobytes() + self.neutral.tobytes())
        return {**super().identity(), "fit": digest.hexdigest()}

    def state(self) -> dict[str, np.ndarray]:
        """Weights, and that of a gene not seen."""
        return {"weights": self.weights, "neutral": np.array([self.neutral])}

    def restore(self, genes: np.ndarray, state: dict[str, np.ndarray]) -> Weighted:
        """Put a saved fit back."""
        weights, neutral = state["weights"], state["neutral"]
        if weights.shape != genes.shape or neutral.shape != (1,):
            raise ValueError(f"{weights.shape} weights and {neutral.shape} neutral of "
                             f"{genes.shape} genes")  # fmt: skip
        if not (np.isfinite(weights).all() and weights.min() > 0 and 0 < neutral[0] < np.inf):
            raise ValueError("weights must be finite and above 0")
        return self._with(genes, weights, neutral[0])

    def _with(self, genes: np.ndarray, weights: np.ndarray, neutral: np.float32) -> Weighted:
        made = copy.copy(self)
        made.genes, made.weights = genes, weights.astype(np.float32)
        made.neutral = np.float32(neutral)
        return made


def cell_counts(cells: Cells) -> np.ndarray:
    """How many cells express each gene, (genes,)."""
    return np.bincount(cells.expression.indices, minlength=len(cells.genes))
