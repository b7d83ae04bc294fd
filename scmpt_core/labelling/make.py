"""Making labels: predict, cluster, name the terms, find the genes that mark each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.data import Dataset, label_values, ranked_genes
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import SettingError
from scmpt_core.fusion import Rule, ScMPT, embed
from scmpt_core.labelling.labels import Labelling
from scmpt_core.ontology import find_term
from scmpt_core.progress import Progress, part, silent
from scmpt_core.votes import leiden

LEIDEN = "leiden"
MARKERS = 8  # genes shown beside a group


@dataclass(frozen=True)
class Clustering:
    """What votes: communities that are found, or a column of the user's.

    Raises
    ------
    SettingError
        The resolution is not above 0.
    """

    column: str | None = None
    resolution: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.resolution <= 20:
            raise SettingError(
                f"The resolution is {self.resolution}.", "Give a number above 0, at most 20."
            )

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


def label_cells(
    dataset: Dataset,
    model: ScMPT,
    store: EmbeddingStore,
    device: Device,
    progress: Progress = silent,
    rule: Rule | None = None,
    clustering: Clustering | None = None,
) -> Labelling:
    """Everything that is said of the dataset's cells.

    Raises
    ------
    ModelError
        The cells measure too little of what the model reads.
    DataError
        The column of ``clustering`` is not there.
    """
    cells = dataset.usable()
    clustering = clustering or Clustering()
    if clustering.column is not None:
        label_values(dataset.obs, clustering.column)  # refused before the long work
    prediction = model.predict(cells, store, device, part(progress, 0, 0.9))
    progress(0.9, f"clusters of {len(cells):,} cells")
    codes, words = cluster_cells(dataset, model, store, clustering)
    return Labelling(
        cells.ids,
        prediction,
        codes,
        words,
        ontology_of(model.classes, model.record),
        rule or Rule(),
    )


def cluster_cells(
    dataset: Dataset, model: ScMPT, store: EmbeddingStore, clustering: Clustering
) -> tuple[np.ndarray, str]:
    """The cluster of each cell, (cells,), and how they came about."""
    if clustering.column is not None:
        return label_values(dataset.obs, clustering.column), f"column {clustering.column}"
    shared = dataset.usable().restrict(set(model.genes))
    vectors = embed(model.encoders, shared, store)
    blocks = [_one_spread(x) for x in vectors.values()]
    words = f"Leiden, resolution {clustering.resolution:g}, on {' and '.join(vectors)}"
    return leiden(np.concatenate(blocks, axis=1), clustering.resolution), words


def _one_spread(x: np.ndarray) -> np.ndarray:
    """An encoder's vectors, (cells, d), centred, with one spread: no encoder drowns another."""
    centred = x - x.mean(axis=0)
    spread = float(np.sqrt(np.square(centred).sum(axis=1).mean()))
    return centred / spread if spread > 0 else centred


def ontology_of(classes: Sequence[str], record: dict) -> dict[str, str]:
    """Class → Cell Ontology id: the model's own, by its record, else what the name says."""
    own = record.get("ontology", {})
    found = {name: own.get(name) or _term(name) for name in classes}
    return {name: id for name, id in found.items() if id}


def _term(name: str) -> str | None:
    term = find_term(name)
    return None if term is None else term.id


def marker_genes(cells: Cells, groups: np.ndarray, n: int = MARKERS) -> dict[str, list[dict]]:
    """Group → the genes that mark it against all other cells, as JSON objects."""
    return {k: [asdict(row) for row in rows] for k, rows in ranked_genes(cells, groups, n).items()}
