"""Job: label the cells of a dataset with a saved model, or one that ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from scmpt_core import fusion
from scmpt_core.data import Dataset, file_map
from scmpt_core.evaluation import umap_of
from scmpt_core.fusion import ScMPT, reference_folder, side_by_side
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.labelling import (
    Clustering,
    Labelling,
    label_cells,
    labelled_summary,
    marker_genes,
    save_labelling,
)
from scmpt_core.library import Item, Library, map_of, open_dataset, view_of
from scmpt_core.progress import part

SUMMARY, MAP = "result.json", "map.npy"


def model_of(library: Library, owner: str, settings: dict) -> tuple[str, Path, dict]:
    """Name, folder and what is known of the model that a job's settings name.

    ``reference`` names one that ships with scMPT, ``model`` one that the owner saved.
    """
    if name := settings.get("reference"):
        return name, reference_folder(name), {"reference": name}
    kept = library.get(owner, "model", settings["model"])
    known = {"model": kept.id, "palette": kept.meta.get("palette")}
    return kept.name, kept.folder / "model", known


def _title(library: Library, owner: str, settings: dict) -> str:
    item = library.get(owner, "dataset", settings["dataset"])
    Clustering(**settings.get("clustering", {}))
    return f"Label {item.name} with {model_of(library, owner, settings)[0]}"


def _run(context: Context) -> dict:
    item, settings = context.item("dataset", "dataset"), context.job.settings
    name, folder, known = model_of(context.library, context.job.owner, settings)
    clustering = Clustering(**settings.get("clustering", {}))
    context.progress(0.0, "opening the file and the model")
    dataset, model = open_dataset(item), fusion.load(folder, context.device)
    labelling = label_cells(
        dataset, model, context.store, context.device, part(context.progress, 0, 0.75),
        clustering=clustering,
    )  # fmt: skip
    context.progress(0.75, f"UMAP of {len(labelling.ids):,} cells")
    points, source = _map(context, item, dataset, model)
    context.progress(0.9, "genes that mark each group")
    summary = labelled_summary(labelling, model.name) | {
        "map": source,
        "normalisation": dataset.usable().normalisation,
        "markers": _markers(dataset, labelling),
    }

    def fill(folder: Path) -> dict:
        save_labelling(labelling, folder)
        np.save(folder / MAP, np.asarray(points, np.float32), allow_pickle=False)
        (folder / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")
        return {
            "dataset": item.id, "dataset_name": item.name, "view": view_of(item).to_json(),
            "model_name": name, "trained": _trained(model), "cells": len(labelling.ids),
            "clustering": clustering.to_json(), "rule": labelling.rule.to_json(), "edits": {},
            **known,
        }  # fmt: skip

    return context.keep("classification", f"{item.name} by {name}", fill, "classify")


def _trained(model: ScMPT) -> dict:
    keys = ("dataset", "label", "test", "split")
    return {"model": model.name} | {key: model.record.get(key) for key in keys}


def _map(context: Context, item: Item, dataset: Dataset, model: ScMPT) -> tuple[np.ndarray, str]:
    """The file's own map, the computed one, or one of the model's embeddings."""
    points, source = file_map(dataset.adata)
    if points is None:
        points, source = map_of(item), "computed from principal components"
    if points is None:
        shared = dataset.usable().restrict(set(model.genes))
        vectors = fusion.embed(model.encoders, shared, context.store)
        points = umap_of(side_by_side(vectors, tuple(model.encoders)))
        source = f"computed from {' and '.join(model.encoders)}"
    return points, source


def _markers(dataset: Dataset, labelling: Labelling) -> dict[str, dict[str, list[dict]]]:
    """Genes that mark each most probable type, and each cluster."""
    cells = dataset.usable()
    return {
        "types": marker_genes(cells, labelling.guesses),
        "clusters": marker_genes(cells, labelling.clusters.astype(str)),
    }


CLASSIFY = JobKind("classify", "labels for new cells", _title, _run)
