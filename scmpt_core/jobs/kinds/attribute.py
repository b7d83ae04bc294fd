"""Job: which genes carried a model's labels, for some cells of each type."""

from __future__ import annotations

from pathlib import Path

from scmpt_core import fusion
from scmpt_core.attribution import Options, Request, explain_cells
from scmpt_core.data import label_values
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
    types = settings.get("types")
    return Request(
        methods=tuple(settings["methods"]),
        cells=settings["cells"],
        types=None if types is None else tuple(types),
        target=settings.get("target"),
        seeds=settings.get("seeds", 1),
        options=Options(**settings.get("options", {})),
    )


def _title(library: Library, owner: str, settings: dict) -> str:
    item = library.get(owner, "dataset", settings["dataset"])
    methods = ", ".join(request_of(settings).methods)
    return f"Explain {item.name} by {model_of(library, owner, settings)[0]}: {methods}"


def _run(context: Context) -> dict:
    item, settings = context.item("dataset", "dataset"), context.job.settings
    name, folder, known = model_of(context.library, context.job.owner, settings)
    request, label = request_of(settings), settings.get("label")
    context.progress(0.0, "opening the file and the model")
    dataset, model = open_dataset(item), fusion.load(folder, context.device)
    cells = dataset.usable()
    labels = None if label is None else label_values(dataset.obs, label)
    found = explain_cells(
        model, cells, labels, request, context.store, context.device, item.name,
        part(context.progress, 0.02, 0.98), context.scratch,
    )  # fmt: skip

    def fill(folder: Path) -> dict:
        found.save(folder)
        return {
            "dataset": item.id, "dataset_name": item.name, "view": view_of(item).to_json(),
            "model_name": name, "label": label, "methods": list(request.methods),
            "cells": len(found.result.ids), "types": found.result.type_names, **known,
        }  # fmt: skip

    return context.keep("attribution", f"{item.name} by {name}", fill, "attribution")


ATTRIBUTE = JobKind("attribute", "genes that carried the labels", _title, _run)
