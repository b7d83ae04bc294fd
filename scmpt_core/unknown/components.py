"""Principal components of cells that measure only some of the genes."""

from __future__ import annotations

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.encoders import PCAEncoder
from scmpt_core.progress import silent

RIDGE = 0.01  # keeps components that hardly any measured gene tells apart from running off


def component_scores(pca: PCAEncoder, cells: Cells) -> np.ndarray:
    """Least-squares scores, (cells, components) float32.

    :meth:`PCAEncoder.encode` counts genes that are not measured as average, which pulls every
    cell towards the middle, away from its type. Here scores are those that explain the measured
    genes best: (L Lᵀ)⁻¹ L (x − mean), L being the loadings of those, with a slight ridge. Where
    all genes are measured L Lᵀ is 1 and both agree.
    """
    scores = pca.encode(cells, silent).astype(np.float64)  # L (x − mean)
    measured = np.isin(pca.genes, cells.genes)
    if measured.all():
        return scores.astype(np.float32)
    loadings = pca.components[:, measured].astype(np.float64)
    gram = loadings @ loadings.T
    ridge = RIDGE * (np.eye(len(gram)) - gram)
    return np.linalg.solve(gram + ridge, scores.T).T.astype(np.float32)
