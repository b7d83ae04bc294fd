"""Job: what a model leans on, by perturbing the cells it reads."""

from __future__ import annotations

from pathlib import Path

from scmpt_core import fusion
from scmpt_core.ablations import Known, Request, ablate, save_ablated
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.jobs.kinds.classify import model_of
from scmpt_core.library import Library, open_dataset, view_of
from scmpt_core.progress import part


def request_of(settings: dict) -> Request:
    """The request that a job's settings name.

    Raises
    ------
    SettingError
        One of them cannot be used.
    """
    names, strengths = settings.get("ablations"), settings.get("strengths")
    return Request(
        ablations=None if names is None else tuple(names),
        regimes=tuple(settings.get("regimes", ("fixed",))),
        strengths=None if strengths is None else tuple(strengths),
        curve=settings.get("curve", False),
        seeds=settings.get("seeds", 1),
        cells=settings.get("cells"),
        gene_set=frozenset(settings.get("gene_set", ())),
    )


def _title(library: Library, owner: str, settings: dict) -> str:
    item = library.get(owner, "dataset", settings["dataset"])
    request = request_of(settings)
    what = "all ablations" if request.ablations is None else ", ".join(request.ablations)
    return f"Ablate {model_of(library, owner, settings)[0]} on {item.name}: {what}"


def _run(context: Context) -> dict:
    item, settings = context.item("dataset", "dataset"), context.job.settings
    name, folder, about = model_of(context.library, context.job.owner, settings)
    request, label = request_of(settings), settings.get("label")
    context.progress(0.0, "opening the file and the model")
    dataset, model = open_dataset(item), fusion.load(folder, context.device)
    given, markers = settings.get("markers"), None
    if given is not None:
        markers = tuple(frozenset(given.get(name, ())) for name in model.classes)
    known = Known.of(dataset, label, model.record.get("group"), markers)
    result = ablate(
        model, dataset.usable(), known, request, context.store, context.device, item.name,
        part(context.progress, 0.02, 0.98), EmbeddingStore(context.scratch),
    )  # fmt: skip

    def fill(folder: Path) -> dict:
        save_ablated(result, folder)
        return {
            "dataset": item.id, "dataset_name": item.name, "view": view_of(item).to_json(),
            "model_name": name, "label": label, "database": settings.get("database"),
            "ablations": sorted({row.ablation for row in result.rows}),
            "regimes": list(request.regimes), "seeds": request.seeds, "cells": len(result.ids),
            **about,
        }  # fmt: skip

    return context.keep("ablation", f"{item.name} by {name}", fill, "ablations")


ABLATE = JobKind("ablate", "what a model leans on", _title, _run)
