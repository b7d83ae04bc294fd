"""Job: compare models on a dataset, map their embeddings, keep everything."""

from __future__ import annotations

import time
from pathlib import Path

from scmpt_core import evaluation
from scmpt_core.encoders import EncoderOptions, get_spec
from scmpt_core.fusion import make_task
from scmpt_core.jobs.estimate import estimate_compare, fit_rates
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.library import Library, open_dataset, view_of
from scmpt_core.progress import part


def plan_of(settings: dict) -> evaluation.Plan:
    """The plan that a job's settings name.

    Raises
    ------
    SettingError
        One of them cannot be used.
    """
    return evaluation.Plan.of(
        settings["encoders"], settings["effort"], settings.get("heads"),
        settings.get("baselines"), settings.get("splits"),
        EncoderOptions(
            settings.get("long_cells", "random"), settings.get("sentence", "plain"),
            settings.get("prefix", ""),
        ),
    )  # fmt: skip


def _title(library: Library, owner: str, settings: dict) -> str:
    item = library.get(owner, "dataset", settings["dataset"])
    plan_of(settings)
    for name in settings["encoders"]:
        get_spec(name)
    group = f", grouped by {settings['group']}" if settings["group"] else ""
    return f"Compare models on {item.name}: {settings['label']}{group}"


def _run(context: Context) -> dict:
    settings, progress = context.job.settings, context.progress
    item, plan = context.item("dataset", "dataset"), plan_of(settings)
    progress(0.0, "opening the file")
    dataset = open_dataset(item)
    task = make_task(dataset, settings["label"], settings["group"])
    expected = estimate_compare(
        context.library.home, context.device.name, len(task.cells), plan, len(task.splits(0))
    )
    start = time.perf_counter()
    result = evaluation.compare(
        item.name, task, plan, context.store, context.device,
        part(progress, 0.01, 1 - expected.map_share), context.scratch, expected.embedding_share,
    )  # fmt: skip
    if time.perf_counter() - start > sum(run.seconds for run in result.runs):
        # nothing came from an earlier, killed run
        for name, rate in fit_rates(result.runs, plan.budget.name, len(task.cells)).items():
            context.note(name, rate)
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
            "label": task.label, "group": task.group, "encoders": list(plan.encoders),
            "seeds": plan.seeds, "effort": settings["effort"],
            "long_cells": plan.options.long_cells, "sentence": plan.options.sentence,
            "prefix": plan.options.prefix,
            "cells": len(task.cells), "classes": len(task.classes), "best": best["name"],
            "macro_f1": best["macro_f1"]["mean"],
        }  # fmt: skip

    return context.keep("comparison", f"{item.name}: {task.label}", fill, "compare")


COMPARE = JobKind("compare", "comparison of models", _title, _run)
