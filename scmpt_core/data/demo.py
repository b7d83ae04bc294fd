"""The bundled demo: 700 blood cells inside scanpy's own package.

A subset of 10x's 68k PBMC set (Zheng et al. 2017, doi:10.1038/ncomms14049): 765 genes, log
values in ``.raw`` whose cells sum to 1,100–2,800 after ``expm1`` because most genes were
dropped after normalisation. Its labels, ``bulk_labels``, were assigned by correlation with
sorted cells, so they are themselves predictions.
"""

from __future__ import annotations

from pathlib import Path

from scmpt_core.data.genes import package_file

DEMO = "demo"
DEMO_LABEL = "bulk_labels"


def demo_path() -> Path:
    """Where the installed scanpy keeps it."""
    return package_file("scanpy", "datasets/10x_pbmc68k_reduced.h5ad")
