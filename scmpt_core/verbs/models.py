"""A forecast before training, labels by a trained model, and its robustness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scmpt_core.data import (
    Dataset,
    check_target,
)
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import (
    DEFAULT_OPTIONS,
    EncoderOptions,
)
from scmpt_core.forecast import CELLS, Forecast, forecast
from scmpt_core.fusion import Rule, ScMPT, Task, make_task
from scmpt_core.labelling import (
    Clustering,
    label_cells,
    labelled_summary,
    labelling_record,
    same_clusters,
    write_labelled,
)
from scmpt_core.markers import open_database
from scmpt_core.progress import Progress
from scmpt_core.robustness import CARD, make_card, save_card


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
