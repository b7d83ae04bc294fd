"""Planted cells for the detectors: three types, one of which can be left out."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.stats import rankdata

from scmpt_core.cells import Cells
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.progress import silent
from scmpt_core.unknown import Context

GENES, MARKERS, TIMES = 200, 20, 4  # each type has its own markers, four times as expressed
PER_TYPE = 300


def planted(seed: int = 0, per_type: int = PER_TYPE) -> tuple[Cells, np.ndarray, dict]:
    """Cells that differ in depth, codes (0, 1, 2), and embeddings that tell the types apart."""
    world, rng = np.random.default_rng(99), np.random.default_rng(seed)
    rates = np.tile(world.gamma(2, 0.5, size=GENES), (3, 1))
    for k in range(3):
        rates[k, k * MARKERS : (k + 1) * MARKERS] *= TIMES
    places = world.normal(size=(3, 12))
    codes = np.repeat([0, 1, 2], per_type)
    depth = rng.uniform(0.5, 2, size=(len(codes), 1))
    cells = log_normalised(rng.poisson(depth * rates[codes]))
    vectors = 1.5 * places[codes] + rng.normal(size=(len(codes), 12))
    return cells, codes, {"scgpt-mini": vectors.astype(np.float32)}


def log_normalised(counts: np.ndarray) -> Cells:
    """Counts, (cells, genes), to log1p of 10,000 a cell."""
    x = np.log1p(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 1e4)
    genes = np.array([f"gene{i}" for i in range(counts.shape[1])])
    ids = np.array([f"cell{i}" for i in range(len(counts))])
    return Cells(sp.csr_matrix(x.astype(np.float32)), genes, ids)


def context_of(cells: Cells, vectors: dict, pca: PCAEncoder | None = None) -> Context:
    """With components fitted to the very cells, or those given."""
    pca = pca or PCAEncoder(get_spec("pca").info).fit(cells)
    return Context(cells, pca.encode(cells, silent), vectors)


def auroc(strange: np.ndarray, known: np.ndarray) -> float:
    """Share of pairs in which the strange cell has the higher score; ties count half."""
    ranks = rankdata(np.concatenate([strange, known]))[: len(strange)]
    n = len(strange)
    return float((ranks.sum() - n * (n + 1) / 2) / (n * len(known)))
