"""Job: the UMAP of a dataset's cells, on principal components."""

from __future__ import annotations

import time

import numpy as np

from scmpt_core.evaluation import umap_of
from scmpt_core.fusion import embed, fit_encoders, load_encoders
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.library import Library, open_dataset, save_map
from scmpt_core.progress import part


def _title(library: Library, owner: str, settings: dict) -> str:
    return f"Map of {library.get(owner, 'dataset', settings['dataset']).name}"


def _run(context: Context) -> dict:
    item = context.item("dataset", "dataset")
    context.progress(0.0, "opening the file")
    cells = open_dataset(item).usable()
    context.progress(0.1, "principal components")
    encoders = fit_encoders(load_encoders(["pca"], context.device), cells, np.arange(len(cells)))
    vectors = embed(encoders, cells, context.store, part(context.progress, 0.1, 0.3))
    context.progress(0.3, f"UMAP of {len(cells):,} cells")
    start = time.perf_counter()
    points = umap_of(vectors["pca"])
    context.note("umap", len(cells) / (time.perf_counter() - start))
    save_map(item, points)
    return {"page": "dataset", "item": item.id}


MAP = JobKind("map", "UMAP of a dataset", _title, _run)
