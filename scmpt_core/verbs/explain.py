"""Which genes carried a model's labels, and what it leans on."""

from __future__ import annotations

import os
from pathlib import Path

from scmpt_core.ablations import (
    REGIMES,
    Ablated,
    Known,
    ablate,
    marker_sets,
    save_ablated,
    summarise,
    type_rows,
    unperturbed,
)
from scmpt_core.ablations import Request as AblationRequest
from scmpt_core.ablations import Row as AblationRow
from scmpt_core.attribution import Request, explain_cells
from scmpt_core.attribution.judged import judge_markers
from scmpt_core.attribution.summary import all_doubts, mean_quality, method_agreement, top_genes
from scmpt_core.data import Dataset, label_values
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import SettingError
from scmpt_core.fusion import ScMPT
from scmpt_core.markers import MarkerDatabase, accept_exact
from scmpt_core.progress import Progress

MOST_GENES = 1_000


def label_of(dataset: Dataset, model: ScMPT, label: str | None, predicted: bool) -> str | None:
    """The column of known types: ``label``, else the model's own where the file has it.

    ``None``: what the model predicts, since ``predicted`` asks for it or nothing is known.

    Raises
    ------
    SettingError
        Both were asked for.
    """
    if predicted and label is not None:
        raise SettingError(f"Known types ({label}) and predicted ones.", "Ask for one of them.")
    if predicted or label is not None:
        return label
    column = model.record.get("label")
    if column not in dataset.obs.columns:
        return None
    return column if set(model.classes) & set(dataset.obs[column].astype(str)) else None


def attribute_file(
    dataset: Dataset,
    model: ScMPT,
    request: Request,
    database: MarkerDatabase,
    pairs: dict[str, str],
    label: str | None,
    k: int,
    store: EmbeddingStore,
    device: Device,
    progress: Progress,
    out: Path | None = None,
    top: int = 20,
) -> dict:
    """Which genes carried the model's labels, and whether they are known markers.

    Parameters
    ----------
    pairs
        Label → entry of the database, beside those that mean the same without doubt.
    label
        Column of known types, ``None``: what the model predicts.
    k
        Genes tested against the markers.
    out
        A new folder for all scores.
    top
        Genes listed for each type, method and way.

    Raises
    ------
    SettingError
        ``out`` is there already or cannot be made, ``k`` is out of range, or a pair names what
        there is not; before anything is computed.
    """
    check_new(out)
    if not 1 <= k <= MOST_GENES:
        raise SettingError(f"The top {k} genes.", f"Name a number between 1 and {MOST_GENES:,}.")
    every = accept_exact(model.classes, database, pairs)
    cells = dataset.usable()
    labels = None if label is None else label_values(dataset.obs, label)
    found = explain_cells(model, cells, labels, request, store, device, dataset.name, progress)
    result, yardsticks = found.result, found.yardsticks
    matches = [match for match in every if match.label in result.explained_names]
    report = judge_markers(result, database, matches, k, yardsticks=yardsticks)
    if out is not None:
        out.mkdir(parents=True)
        found.save(out)
    return {
        "model": result.model, "dataset": result.dataset, "device": device.reason,
        "known_types": result.known, "label": label, "settings": result.settings, "top": k,
        "unknown": int(result.unknown.sum()),
        "cells": {name: len(result.cells_of(name, result.ways[0])) for name in result.type_names},
        "markers": {"database": report.database, "sha256": database.sha256,
                    "notes": list(database.notes)},
        "yardsticks": None if yardsticks is None else yardsticks.source,
        "matches": [{**match.to_json(), "said": match.said()} for match in matches],
        "tests": [row.to_json() for row in report.rows],
        "genes": top_genes(result, top),
        "quality": mean_quality(result),
        "doubts": all_doubts(result),
        "agreement": method_agreement(result, k),
        "output": None if out is None else str(out),
    }  # fmt: skip


def ablate_file(
    dataset: Dataset,
    model: ScMPT,
    request: AblationRequest,
    database: MarkerDatabase,
    pairs: dict[str, str],
    label: str | None,
    store: EmbeddingStore,
    device: Device,
    progress: Progress,
    out: Path | None = None,
) -> dict:
    """What the model says of perturbed cells, and how much worse that is.

    Parameters
    ----------
    pairs
        Label → entry of the database, beside those that mean the same without doubt.
    label
        Column of known types, ``None``: what the model predicts.
    out
        A new folder for every answer.

    Raises
    ------
    SettingError
        ``out`` is there already, or a pair names what there is not.
    """
    check_new(out)
    cells, matches = dataset.usable(), accept_exact(model.classes, database, pairs)
    markers = marker_sets(model.classes, matches, database, cells.genes)
    known = Known.of(dataset, label, model.record.get("group"), markers)
    result = ablate(model, cells, known, request, store, device, dataset.name, progress)
    if out is not None:
        out.mkdir(parents=True)
        save_ablated(result, out)
    return {
        "model": result.model, "dataset": result.dataset, "device": device.reason,
        "known_types": result.known, "settings": result.settings, "cells": len(result.ids),
        "regimes": {name: REGIMES[name] for name in result.regimes},
        "markers": {"database": database.title, "sha256": database.sha256},
        "matches": [match.to_json() for match in matches],
        "unperturbed": unperturbed(result),
        "ablations": [ablation_row(result, row) for row in summarise(result)],
        "skipped": result.skipped, "encoded": result.encoded,
        "output": None if out is None else str(out),
    }  # fmt: skip


def ablation_row(result: Ablated, row: AblationRow) -> dict:
    """A row with its types, as a JSON object."""
    return row.to_json() | {"types": [each.to_json() for each in type_rows(result, row)]}


def ablation_lines(result: dict) -> list[str]:
    """The whole model's rows, for a terminal."""
    whole = result["model"]
    lines = [f"{name}: {what}" for name, what in result["regimes"].items()]
    for row in result["unperturbed"]:
        if row["macro_f1"] is not None and row["way"] == whole:
            lines.append(
                f"{row['regime']:6} {'unperturbed':58} {row['macro_f1']:.3f} (n = {row['n']:,})"
            )
    lines.append(f"{'':6} {'':58} macro F1, drop (95 % interval), flipped, lost probability")
    for row in result["ablations"]:
        if row["way"] != whole:
            continue
        scores = ""
        if row["macro_f1"] is not None:
            scores = f"{row['macro_f1']:.3f}  {row['macro_f1_drop']:+.3f}"
        if interval := row["interval"]:
            scores += f" ({interval['low']:+.3f} to {interval['high']:+.3f})"
        changes = f"{row['flipped']:6.1%} {row['lost']:+.3f}"
        lines.append(f"{row['regime']:6} {row['title'][:58]:58} {scores}  {changes}")
    return [*lines, *(f"not made: {name}: {why}" for name, why in result["skipped"].items())]


def check_new(folder: Path | None) -> None:
    """Refuse to write into what is there, or where nothing can be made.

    Raises
    ------
    SettingError
        With the reason.
    """
    if folder is None:
        return
    if folder.exists():
        raise SettingError(f"{folder} is there already.", "Name a new folder.")
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise SettingError(f"{folder} cannot be made in {above}.", "Name a folder of yours.")
