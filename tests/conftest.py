"""What the tests share: a home of their own, toy cells with a planted structure, real data."""

from __future__ import annotations

import os
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
REAL = Path(__file__).parents[2] / "shared" / "data" / "labelled"

SYMBOLS = [
    "CD3D", "CD3E", "IL7R", "LYZ", "CD14", "S100A8", "MS4A1", "CD79A", "CD79B", "NKG7", "GNLY",
    "FTL", "ACTB", "B2M", "TMSB4X", "MT-CO1", "MT-ND1", "RPS6", "RPL13", "EEF1A1", "FCER1A", "PPBP",
    "CST3", "HLA-DRA", "CD74", "GAPDH", "JUN", "FOS", "CCL5", "TYROBP",
]  # fmt: skip
TYPES = {
    "T": ("CD3D", "CD3E", "IL7R"),
    "Mono": ("LYZ", "CD14", "S100A8"),
    "B": ("MS4A1", "CD79A", "CD79B"),
}
# the minutes-long; jobs that must stop within seconds come after the heaviest browser test
LONGEST = (
    "browser/test_app.py", "test_cli.py", "jobs/test_worker.py", "browser/test_attribution.py",
    "pages/test_ablations.py", "ablations/test_run.py", "robustness/test_card.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that processes side by side end at about the same time."""
    place = {Path(__file__).parent / name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Nothing that a test stores outlives it, and every test computes in float32."""
    monkeypatch.setenv("SCMPT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCMPT_DTYPE", "float32")
    return tmp_path / "home"


@pytest.fixture
def counts():
    """120 cells × 30 genes of Poisson counts; three types with three planted markers each."""
    return toy()


def toy(n_per_type: int = 40, seed: int = 0) -> ad.AnnData:
    """Counts, with ``cell_type`` and ``donor``."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(list(TYPES), n_per_type)
    rates = np.random.default_rng(99).uniform(0.3, 2.0, size=len(SYMBOLS))  # alike in every toy
    mean = np.tile(rates, (len(labels), 1))
    for name, markers in TYPES.items():
        for gene in markers:
            mean[labels == name, SYMBOLS.index(gene)] = 12
    obs = pd.DataFrame(
        {"cell_type": labels, "donor": [f"d{i % 4}" for i in range(len(labels))]},
        index=[f"cell{i}" for i in range(len(labels))],
    )
    matrix = sp.csr_matrix(rng.poisson(mean).astype(np.float32))
    return ad.AnnData(matrix, obs=obs, var=pd.DataFrame(index=SYMBOLS))


@pytest.fixture
def write(tmp_path):
    """Write an AnnData to a temporary .h5ad."""

    def to_file(adata: ad.AnnData, name: str = "cells.h5ad") -> Path:
        path = tmp_path / name
        adata.write_h5ad(path)
        return path

    return to_file


@pytest.fixture
def real():
    """Path of a real labelled set; skips where the data are not beside the project."""

    def path(name: str) -> Path:
        file = REAL / f"{name}.h5ad"
        if not file.exists():
            pytest.skip(f"{name}: the real data are not on this machine")
        return file

    return path
