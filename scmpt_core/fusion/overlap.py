"""Whether new cells carry the genes a model was trained to read.

A model trained on all genes reads a window of them; on a panel that lacks most of that window
the ranking shifts and the label is worthless, however high its probability. The overlap is the
share of the training windows that the new file measures; of a model trained on studies with
different genes, it is that of the study which the file covers best: a panel that one of them
measured is a panel the model knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from scmpt_core.errors import ModelError

# Measured by benchmarks/gene_overlap.py (benchmarks/README.md): at 95.9 % MiniLM lost 0.7 points of
# accuracy, at 84.5 % already 10, at 81.4 % 35.
MIN_OVERLAP = 0.95
# By encoder, where its curve allows another: below, a logistic regression loses 2 points.
LIMITS = {"pca": 0.90, "scgpt-mini": 0.90}


def overlaps(
    windows: dict[str, np.ndarray], genes: np.ndarray, measured: np.ndarray
) -> dict[str, float]:
    """Share of each encoder's training window that ``measured`` symbols cover.

    Parameters
    ----------
    windows
        Encoder → weight of each gene, (genes,), or of each study's genes, (studies, genes): then
        the largest share counts. Each window sums to 1.
    """
    shared = np.isin(genes, measured)
    found = {name: np.atleast_2d(weight)[:, shared].sum(axis=1) for name, weight in windows.items()}
    return {name: min(1.0, float(shares.max())) for name, shares in found.items()}


def limits_of(record: dict) -> Mapping[str, float]:
    """Encoder → least overlap: the model's own where it was measured, else the encoder's."""
    return defaultdict(lambda: MIN_OVERLAP, LIMITS | record.get("overlap_limit", {}))


def check_overlap(overlap: dict[str, float], limits: Mapping[str, float]) -> None:
    """Refuse when any encoder would read too little of what it was trained on.

    Raises
    ------
    ModelError
        With the overlap and the limit.
    """
    for name, share in overlap.items():
        if share < limits[name]:
            raise ModelError(
                f"The cells measure {share:.1%} of what {name} read in training (at least "
                f"{limits[name]:.0%} is needed); labels would be unreliable.",
                "Train a model on the genes that both files have, or give a file with more genes.",
            )
