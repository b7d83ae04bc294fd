"""Two-dimensional maps that come with a file."""

from __future__ import annotations

import anndata as ad
import numpy as np


def file_map(adata: ad.AnnData) -> tuple[np.ndarray | None, str]:
    """The file's UMAP, else its t-SNE, (cells, 2), and where it stands; ``None`` without one.

    Maps with NaN or infinite points are left alone.
    """
    names = sorted(adata.obsm, key=lambda n: ("umap" not in n.lower(), n))
    for name in names:
        if not any(kind in name.lower() for kind in ("umap", "tsne", "t-sne")):
            continue
        points = np.asarray(adata.obsm[name])
        if points.ndim == 2 and points.shape[1] >= 2 and np.isfinite(points[:, :2]).all():
            return points[:, :2].astype(np.float32), f"from the file, obsm[{name!r}]"
    return None, ""
