"""Job: compare models on a dataset, map their embeddings, keep everything."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from scmpt_core import evaluation
from scmpt_core.encoders import EncoderOptions, get_spec
from scmpt_core.errors import SettingError
from scmpt_core.fusion import make_task
from scmpt_core.jobs.estimate import estimate_compare
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.library import Library, open_dataset, view_of
from scmpt_core.progress import part

MAX_SEEDS = 20


def _title(library: Library, owner: str, settings: dict) -> str:
    item = library.get(owner, "dataset", settings["dataset"])
    evaluation.planned_models(settings["encoders"])
    for name in settings["encoders"]:
        get_spec(name)
    if not 1 <= settings["seeds"] <= MAX_SEEDS:
        raise SettingError(
            f"The number of repeats is {settings['seeds']}.", f"Give 1 to {MAX_SEEDS}."
        )
    EncoderOptions(settings.get("long_cells", "random"))
    group = f", grouped by {settings['group']}" if settings["group"] else ""
    return f"Compare models on {item.name}: {settings['label']}{group}"


def _run(context: Context) -> dict:
    settings, progress = context.job.settings, context.progress
    item = context.item("dataset", "dataset")
    progress(0.0, "opening the file")
    dataset = open_dataset(item)
    task = make_task(dataset, settings["label"], settings["group"])
    names, seeds = tuple(settings["encoders"]), int(settings["seeds"])
    expected = estimate_compare(
        context.library.home,
        context.device.name,
        len(task.cells),
        names,
        seeds,
        folds=len(task.splits(0)),
    )
    start = time.perf_counter()
    result = evaluation.compare(
        item.name, task, names, seeds, context.store, context.device,
        part(progress, 0.01, 1 - expected.map_share), context.scratch,
        expected.embedding_share, EncoderOptions(settings.get("long_cells", "random")),
    )  # fmt: skip
    trained = sum(run.seconds for run in result.runs)
    fits = sum(run.encoders != () for run in result.runs)
    if time.perf_counter() - start > trained:  # nothing came from an earlier, killed run
        context.note("head", len(task.cells) * fits / max(trained, 1e-3))
    maps = {}
    for i, (name, vectors) in enumerate(result.embeddings.items()):
        share = expected.map_share
        progress(1 - share * (1 - i / len(result.embeddings)), f"UMAP of {name}")
        start = time.perf_counter()
        maps[name] = evaluation.umap_of(vectors)
        context.note("umap", len(vectors) / (time.perf_counter() - start))

    def fill(folder: Path) -> dict:
        evaluation.store(result, maps, folder)
        best = evaluation.load_stored(folder).best
        return {
            "dataset": item.id, "dataset_name": item.name, "view": view_of(item).to_json(),
            "label": task.label, "group": task.group, "encoders": list(names), "seeds": seeds,
            "long_cells": settings.get("long_cells", "random"),
            "cells": len(task.cells), "classes": len(task.classes), "best": best["name"],
            "macro_f1": best["macro_f1"]["mean"],
        }  # fmt: skip

    context.library.add(
        context.job.owner, "comparison", f"{item.name}: {task.label}", fill, id=context.job.id
    )
    shutil.rmtree(context.scratch, ignore_errors=True)
    return {"page": "compare", "item": context.job.id}


COMPARE = JobKind("compare", "comparison of models", _title, _run)
