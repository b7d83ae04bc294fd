"""50 principal components of log expression: the plain baseline everything is held against."""

from __future__ import annotations

import hashlib

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import PCA

from scmpt_core.cells import Cells
from scmpt_core.encoders.base import EncoderInfo
from scmpt_core.errors import ModelError
from scmpt_core.progress import Progress

COMPONENTS = 50
CHUNK = 65_536


class PCAEncoder:
    """Fitted to cells; genes that new cells lack count as average, so they add nothing."""

    def __init__(self, info: EncoderInfo) -> None:
        self.info, self.chunk = info, CHUNK
        self.genes = np.array([], dtype=str)
        self.mean = np.zeros(0, np.float32)  # (genes,)
        self.components = np.zeros((0, 0), np.float32)  # (components, genes)
        self.variance = np.zeros(0, np.float32)  # (components,)

    def fit(self, cells: Cells) -> PCAEncoder:
        """Fit to ``cells``; fewer than 51 cells or genes give fewer components, padded with 0."""
        count = min(COMPONENTS, len(cells) - 1, len(cells.genes) - 1)
        if count < 1:
            raise ModelError(f"{len(cells)} cells are too few for a PCA.", "Give at least 2.")
        pca = PCA(count, svd_solver="arpack", random_state=0)
        pca.fit(sp.csr_matrix(cells.expression, dtype=np.float64))
        padding = ((0, COMPONENTS - count), (0, 0))
        self.components = np.pad(pca.components_, padding).astype(np.float32)
        self.variance = np.pad(pca.explained_variance_, (0, COMPONENTS - count)).astype(np.float32)
        self.genes, self.mean = cells.genes, pca.mean_.astype(np.float32)
        return self

    def identity(self) -> dict:
        """The fit itself: genes, mean and components, hence the cells it was fitted on."""
        digest = hashlib.blake2b("\n".join(self.genes).encode(), digest_size=16)
        digest.update(self.mean.tobytes() + self.components.tobytes())
        return {"encoder": self.info.name, "fit": digest.hexdigest()}

    def encode(self, cells: Cells, progress: Progress) -> np.ndarray:
        """Scores, (cells, 50) float32."""
        if not len(self.genes):
            raise ModelError("The PCA was not fitted.", "Fit it to cells first.")
        place = {gene: i for i, gene in enumerate(self.genes)}
        theirs = np.array([place.get(gene, -1) for gene in cells.genes], dtype=np.int64)
        shared = np.flatnonzero(theirs >= 0)
        loadings = self.components[:, theirs[shared]]  # (components, shared)
        scores = cells.expression[:, shared] @ loadings.T - self.mean[theirs[shared]] @ loadings.T
        progress(1.0, f"{self.info.name}: {len(cells):,} of {len(cells):,} cells")
        return np.asarray(scores, dtype=np.float32)

    def window(self, cells: Cells) -> np.ndarray:
        """Genes by the variance that the components take from them."""
        share = (self.variance[:, None] * self.components**2).sum(axis=0)
        weight = dict(zip(self.genes, share / max(share.sum(), 1e-12), strict=True))
        return np.array([weight.get(gene, 0.0) for gene in cells.genes])

    def state(self) -> dict[str, np.ndarray]:
        """Arrays to save, besides the genes."""
        return {"mean": self.mean, "components": self.components, "variance": self.variance}

    def restore(self, genes: np.ndarray, state: dict[str, np.ndarray]) -> PCAEncoder:
        """Put a saved fit back."""
        self.genes = np.asarray(genes, str)
        self.mean, self.components = state["mean"], state["components"]
        self.variance = state["variance"]
        return self
