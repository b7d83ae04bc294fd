"""An attribution with the yardsticks it is held against: made and kept together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scmpt_core.attribution.judged import Yardsticks, make_yardsticks, save_yardsticks
from scmpt_core.attribution.result import Attribution, save_attribution
from scmpt_core.attribution.run import Request, attribute, predicted_types
from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import ScMPT
from scmpt_core.progress import Progress, part, silent


@dataclass(frozen=True, eq=False)
class Explained:
    """Scores, and orders of the genes that need no model; ``None``: nothing is differential."""

    result: Attribution
    yardsticks: Yardsticks | None

    def save(self, folder: Path) -> None:
        """Write both into an existing folder."""
        save_attribution(self.result, folder)
        if self.yardsticks is not None:
            save_yardsticks(self.yardsticks, folder)


def explain_cells(
    model: ScMPT,
    cells: Cells,
    labels: np.ndarray | None,
    request: Request,
    store: EmbeddingStore,
    device: Device,
    dataset: str,
    progress: Progress = silent,
    keep: Path | None = None,
) -> Explained:
    """As :func:`attribute`, with yardsticks from the same types of all cells.

    Parameters
    ----------
    labels
        The file's own label of each cell, (cells,); ``None``: what the model predicts.
    """
    known = labels is not None
    if not known:
        labels = predicted_types(model, cells, store, device, part(progress, 0, 0.1))
    result = attribute(
        model, cells, labels, request, store, device, dataset,
        progress if known else part(progress, 0.1, 1), keep, known,
    )  # fmt: skip
    return Explained(result, make_yardsticks(cells, labels, model, predicted=not known))
