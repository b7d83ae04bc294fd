"""What is in a file, which encoders there are, and embeddings of its cells."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from scmpt_core import __version__
from scmpt_core.data import (
    DEMO,
    Dataset,
    View,
    annotate,
    backed_writer,
    check_target,
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
from scmpt_core.fusion import embed, fit_encoders, load_encoders
from scmpt_core.labelling import (
    dataset_record,
)
from scmpt_core.library import embedding_rate, known_rates
from scmpt_core.progress import Meter, Progress, part, silent


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


def _plain(identity: dict) -> dict:
    return {k: np.array(v) if isinstance(v, list) else v for k, v in identity.items()}
