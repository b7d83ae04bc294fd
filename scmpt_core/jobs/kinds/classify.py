"""Job: label the cells of a dataset with a saved model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from scmpt_core import fusion, verbs
from scmpt_core.data import file_map
from scmpt_core.evaluation import umap_of
from scmpt_core.fusion import side_by_side
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.library import Library, map_of, open_dataset, view_of
from scmpt_core.progress import part

ANNOTATED, TABLE, SUMMARY, CELLS = "labelled.h5ad", "labels.csv", "result.json", "cells.npz"


def _title(library: Library, owner: str, settings: dict) -> str:
    item = library.get(owner, "dataset", settings["dataset"])
    model = library.get(owner, "model", settings["model"])
    return f"Label {item.name} with {model.name}"


def _run(context: Context) -> dict:
    item, kept = context.item("dataset", "dataset"), context.item("model", "model")
    context.progress(0.0, "opening the file and the model")
    dataset = open_dataset(item)
    model = fusion.load(kept.folder / "model", context.device)
    cells = dataset.usable()
    prediction = model.predict(cells, context.store, context.device, part(context.progress, 0, 0.8))
    context.progress(0.8, f"UMAP of {len(cells):,} cells")
    points, source = file_map(dataset.adata)
    if points is None:
        points, source = map_of(item), "computed from principal components"
    if points is None:
        shared = cells.restrict(set(model.genes))
        vectors = fusion.embed(model.encoders, shared, context.store)
        points = umap_of(side_by_side(vectors, tuple(model.encoders)))
        source = f"computed from {' and '.join(model.encoders)}"

    def fill(folder: Path) -> dict:
        context.progress(0.95, "writing the files")
        result = verbs.write_labelled(
            dataset, model, prediction, folder / ANNOTATED, context.device
        )
        verbs.label_table(dataset, model, prediction).to_csv(folder / TABLE)
        np.savez_compressed(
            folder / CELLS, ids=cells.ids, labels=prediction.labels,
            probability=prediction.probability.astype(np.float32),
            map=np.asarray(points, dtype=np.float32),
        )  # fmt: skip
        summary = result | {"map": source, "output": ANNOTATED}
        (folder / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")
        return {
            "dataset": item.id, "dataset_name": item.name, "view": view_of(item).to_json(),
            "model": kept.id, "model_name": kept.name, "cells": len(cells),
            "palette": kept.meta.get("palette"),
        }  # fmt: skip

    context.library.add(
        context.job.owner, "classification", f"{item.name} by {kept.name}", fill, id=context.job.id
    )
    return {"page": "classify", "item": context.job.id}


CLASSIFY = JobKind("classify", "labels for new cells", _title, _run)
