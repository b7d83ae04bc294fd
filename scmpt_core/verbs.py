"""The verbs that the command line and the pages share: one call each, results as JSON objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from scmpt_core import __version__
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
from scmpt_core.attribution import Request, attribute, save_attribution
from scmpt_core.attribution.judged import judge_markers, make_yardsticks, save_yardsticks
from scmpt_core.attribution.summary import mean_quality, method_agreement, top_genes
from scmpt_core.data import (
    DEMO,
    Dataset,
    View,
    annotate,
    backed_writer,
    check_target,
    label_values,
    load,
    open_backed,
    write_h5ad,
)
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import (
    DEFAULT_OPTIONS,
    ENCODERS,
    Encoder,
    EncoderOptions,
    coverage_findings,
    get_spec,
)
from scmpt_core.errors import SettingError
from scmpt_core.forecast import CELLS, Forecast, forecast
from scmpt_core.fusion import Rule, ScMPT, Task, embed, fit_encoders, load_encoders, make_task
from scmpt_core.labelling import (
    Clustering,
    dataset_record,
    label_cells,
    labelled_summary,
    labelling_record,
    same_clusters,
    write_labelled,
)
from scmpt_core.library import embedding_rate, known_rates
from scmpt_core.markers import MarkerDatabase, accept_exact, open_database
from scmpt_core.progress import Meter, Progress, part, silent
from scmpt_core.robustness import CARD, make_card, save_card


def check(dataset: Dataset) -> dict:
    """What is in the file, coverage by each encoder included."""
    findings = list(dataset.findings)
    if dataset.cells is not None:
        findings += coverage_findings(dataset.cells)
    return {
        "cells": dataset.adata.n_obs,
        "genes": dataset.adata.n_vars if dataset.cells is None else len(dataset.cells.genes),
        "matrix": dataset.matrix,
        "values": dataset.values,
        "labels": [column.to_json() for column in dataset.labels],
        "findings": [finding.to_json() for finding in findings],
    }


def list_encoders(home: Path | None = None, device: str = "cpu") -> list[dict]:
    """The registry: what each is, whether it is ready, its size, and its speed on this machine.

    ``cells_per_second`` is the last rate that was measured on ``device`` and kept under ``home``,
    ``None`` where there is none; ``megabytes`` is that of the weights on disk.
    """
    rates, rows = known_rates(home, device) if home is not None else {}, []
    for spec in ENCODERS:
        info, status, size = spec.info, spec.status(), spec.size()
        rows.append(
            {
                "name": info.name,
                "modality": info.modality,
                "dimension": info.dimension,
                "ready": status.ready,
                "megabytes": None if size is None else round(size / 1e6, 1),
                "cells_per_second": rates.get(embedding_rate(info.name)),
                "trained": info.trained,
                "how_to_get": status.how_to_get,
                "reference": info.reference,
                "licence": info.licence,
                "summary": info.summary,
            }
        )
    return rows


def time_encoders(device: Device, noted: Callable[[str, float], None], progress: Progress) -> None:
    """Embed the demo's cells with each encoder that is ready, and tell its cells a second."""
    cells = load(DEMO).usable()
    ready = [spec.info.name for spec in ENCODERS if spec.status().ready]
    for i, name in enumerate(ready):
        encoder = fit_encoders(load_encoders([name], device), cells, np.arange(len(cells)))[name]
        encoder.encode(cells.take(np.arange(64)), silent)  # compiles kernels and warms up
        start = time.perf_counter()
        encoder.encode(cells, part(progress, i / len(ready), (i + 1) / len(ready)))
        noted(name, len(cells) / (time.perf_counter() - start))


def forecast_task(
    task: Task,
    names: Sequence[str],
    store: EmbeddingStore,
    device: Device,
    progress: Progress,
    cells: int = CELLS,
    options: EncoderOptions = DEFAULT_OPTIONS,
    seed: int = 0,
) -> Forecast:
    """Which encoder will win; the markers that its window is held to are the built-in ones."""
    entries = open_database("builtin").entries.values()
    markers = {gene for entry in entries for gene in entry.genes}
    return forecast(task, names, markers, store, device, seed, cells, options, progress)


def embed_file(
    dataset: Dataset,
    names: Sequence[str],
    out: Path,
    store: EmbeddingStore,
    device: Device,
    progress: Progress,
    source: Path | None = None,
    options: EncoderOptions = DEFAULT_OPTIONS,
) -> dict:
    """Write the cells with ``obsm["X_scmpt_<encoder>"]`` to ``out``."""
    check_target(out, source)
    cells = dataset.usable()
    encoders = fit_encoders(load_encoders(names, device, options), cells, np.arange(len(cells)))
    embeddings = embed(encoders, cells, store, progress)
    notes = [
        f"{n} was fitted on all {len(cells):,} cells{_in_sentences([n], options)}"
        for n, e in encoders.items()
        if e.info.fitted
    ]
    record = _embed_record(dataset_record(dataset, device), encoders, notes)
    obsm = {f"X_scmpt_{name}": values for name, values in embeddings.items()}
    adata, written = annotate(dataset.adata, obsm=obsm, uns={"scmpt": record})
    write_h5ad(adata, out)
    return _embedded(out, written, len(cells), encoders, cells.normalisation, device, notes)


def embed_backed(
    path: Path,
    names: Sequence[str],
    out: Path,
    store: EmbeddingStore,
    device: Device,
    progress: Progress,
    view: View | None = None,
    options: EncoderOptions = DEFAULT_OPTIONS,
) -> dict:
    """As :func:`embed_file`, for a large .h5ad: it is read in pieces, once for all encoders.

    Only the cells' names are held whole; what is in the file is copied to ``out`` untouched.

    Raises
    ------
    SettingError
        An encoder is fitted to all cells at once (pca, or text in sentences that are fitted).
    """
    check_target(out, path)
    encoders = load_encoders(names, device, options)
    if fitted := [n for n, e in encoders.items() if e.info.fitted]:
        raise SettingError(
            f"{', '.join(fitted)} is fitted to all cells at once{_in_sentences(fitted, options)}.",
            "Leave it or --backed out, or choose sentences that are not fitted.",
        )
    dimensions = {n: e.info.dimension for n, e in encoders.items()}
    with (
        open_backed(path, view, progress=part(progress, 0, 0.05)) as dataset,
        backed_writer(path, out, len(dataset), dimensions) as writer,
    ):
        total = len(dataset) * len(encoders)
        meter = Meter(part(progress, 0.05, 1), total, "embeddings", ", ".join(encoders))
        words, notes = "", ["read in pieces"]
        for where, cells in dataset.pieces():
            words = cells.normalisation
            for name, encoder in encoders.items():
                vectors = store.get(encoder, cells, meter.inside(len(cells)))
                writer.write(name, where, vectors)
                meter.add(len(cells))
        facts = {"matrix": dataset.matrix, "values": dataset.values, "normalisation": words}
        record = {"version": __version__, **facts, "device": device.reason, "left_out": 0}
        written = writer.finish(_embed_record(record, encoders, notes))
    return _embedded(out, written, len(dataset), encoders, words, device, notes)


def _in_sentences(fitted: Sequence[str], options: EncoderOptions) -> str:
    """For text encoders, what of them is fitted."""
    texts = any(get_spec(name).info.modality == "text" for name in fitted)
    return f" (sentences: {options.sentence})" if texts else ""


def _embed_record(record: dict, encoders: dict[str, Encoder], notes: list[str]) -> dict:
    described = {n: _plain(e.identity()) for n, e in encoders.items()}
    return record | {"verb": "embed", "notes": "; ".join(notes), "encoders": described}


def _embedded(
    out: Path, written: list[str], cells: int, encoders: dict[str, Encoder], normalisation: str,
    device: Device, notes: list[str],
) -> dict:  # fmt: skip
    return {
        "output": str(out),
        "written": written,
        "cells": cells,
        "dimensions": {n: e.info.dimension for n, e in encoders.items()},
        "normalisation": normalisation,
        "device": device.reason,
        "notes": notes,
    }


def classify_file(
    dataset: Dataset,
    model: ScMPT,
    out: Path,
    store: EmbeddingStore,
    device: Device,
    progress: Progress,
    source: Path | None = None,
    rule: Rule | None = None,
    clustering: Clustering | None = None,
    edits: dict[str, str] | None = None,
    terms: dict[str, str] | None = None,
    clusters: dict[str, int] | None = None,
) -> dict:
    """Write the cells with labels and all that goes with them to ``out``.

    Parameters
    ----------
    edits, terms
        What a person decided: see :class:`~scmpt_core.labelling.Labelling`.
    clusters
        Sizes of the clusters that ``edits`` name; they are not given to others.
    """
    check_target(out, source)
    clustering = clustering or Clustering()
    labelling = label_cells(dataset, model, store, device, progress, rule, clustering)
    labelling = replace(labelling, edits=edits or {}, terms=terms or {})
    if clusters is not None:
        same_clusters(labelling, clusters)
    record = labelling_record(dataset, model.name, model.record, labelling, clustering, device)
    written = write_labelled(dataset, labelling, record, out)
    return labelled_summary(labelling, model.name) | {
        "output": str(out), "written": written, "normalisation": dataset.usable().normalisation,
    }  # fmt: skip


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
    out
        A new folder for all scores.
    top
        Genes listed for each type, method and way.

    Raises
    ------
    SettingError
        ``out`` is there already, or a pair names what there is not.
    """
    if out is not None and out.exists():
        raise SettingError(f"{out} is there already.", "Name a new folder.")
    cells = dataset.usable()
    labels = None if label is None else label_values(dataset.obs, label)
    result = attribute(model, cells, labels, request, store, device, dataset.name, progress)
    yardsticks = None if labels is None else make_yardsticks(cells, labels, model)
    matches = accept_exact(result.type_names, database, pairs)
    report = judge_markers(result, database, matches, k, yardsticks=yardsticks)
    if out is not None:
        out.mkdir(parents=True)
        save_attribution(result, out)
        if yardsticks is not None:
            save_yardsticks(yardsticks, out)
    return {
        "model": result.model, "dataset": result.dataset, "device": device.reason,
        "known_types": result.known, "settings": result.settings, "top": k,
        "cells": {name: len(result.cells_of(name, result.ways[0])) for name in result.type_names},
        "markers": {"database": report.database, "sha256": database.sha256},
        "matches": [match.to_json() for match in matches],
        "tests": [row.to_json() for row in report.rows],
        "genes": top_genes(result, top),
        "quality": mean_quality(result),
        "agreement": method_agreement(result, k),
        "output": None if out is None else str(out),
    }  # fmt: skip


def attribution_lines(result: dict) -> list[str]:
    """The tests on all cells, for a terminal."""
    lines = [f"{'type':24} {'method':24} {'model':12} n  markers in top      p       q"]
    for row in result["tests"]:
        if row["correct_only"]:
            continue
        front = f"{row['type'][:24]:24} {row['method']:24} {row['way'][:12]:12} {row['n']}"
        if row["test"] is None or row["test"]["p"] is None:
            lines.append(f"{front}  {row['note']}")
            continue
        test, q = row["test"], "" if row["q"] is None else f"{row['q']:.4f}"
        share = f"{test['overlap']} of {test['used']}"
        lines.append(f"{front}  {share:14} {test['p']:.4f}  {q}  {', '.join(test['found'])}")
    return [*lines, f"markers: {result['markers']['database']}"]


def _plain(identity: dict) -> dict:
    return {k: np.array(v) if isinstance(v, list) else v for k, v in identity.items()}


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
    if out is not None and out.exists():
        raise SettingError(f"{out} is there already.", "Name a new folder.")
    cells, group = dataset.usable(), model.record.get("group")
    matches = accept_exact(model.classes, database, pairs)
    known = Known(
        None if label is None else label_values(dataset.obs, label),
        label_values(dataset.obs, group) if group in dataset.obs else None,
        marker_sets(model.classes, matches, database, cells.genes),
    )
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


def robustness_file(
    dataset: Dataset,
    model: ScMPT,
    folder: Path,
    store: EmbeddingStore,
    device: Device,
    progress: Progress,
) -> dict:
    """Make the robustness card of the model in ``folder`` and keep it there.

    ``dataset`` is what it was trained on, with the label and the groups of then.

    Raises
    ------
    DataError
        The model was trained on other cells.
    """
    task = make_task(dataset, model.record["label"], model.record.get("group"))
    card = make_card(model, task, store, device, dataset.name, progress)
    save_card(card, folder)
    extra = {"sentences": card.sentences(), "device": device.reason, "output": str(folder / CARD)}
    return card.to_json() | extra


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
