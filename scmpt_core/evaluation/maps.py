"""Two-dimensional maps of embeddings."""

from __future__ import annotations

import numpy as np


def umap_of(embedding: np.ndarray, seed: int = 0) -> np.ndarray:
    """UMAP (McInnes et al. 2018, arXiv 1802.03426) of (cells, d) → (cells, 2), seeded.

    Below four cells there is nothing to arrange; the first two columns are returned.
    """
    if len(embedding) < 4:
        return np.pad(embedding, ((0, 0), (0, 2)))[:, :2]
    import umap

    neighbours = min(15, len(embedding) - 1)
    # spectral initialisation fails on tiny sets, so those start at random
    init = "spectral" if len(embedding) > 50 else "random"
    reducer = umap.UMAP(n_neighbors=neighbours, random_state=seed, init=init, n_jobs=1)
    return np.asarray(reducer.fit_transform(embedding), dtype=np.float32)
