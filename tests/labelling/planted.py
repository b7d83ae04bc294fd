"""Labels whose every number can be told by hand."""

from __future__ import annotations

import numpy as np

from scmpt_core.conformal import ConformalSets
from scmpt_core.fusion import Prediction, Sureness
from scmpt_core.labelling import Labelling

CLASSES = ("B", "Mono", "T")
#   of eight cells: probability of each class, cluster, p of being far, what each encoder says
PROBA = np.array(
    [
        [0.96, 0.02, 0.02],
        [0.90, 0.06, 0.04],
        [0.70, 0.20, 0.10],
        [0.50, 0.40, 0.10],
        [0.10, 0.85, 0.05],
        [0.05, 0.90, 0.05],
        [0.02, 0.03, 0.95],
        [0.40, 0.30, 0.30],
    ]
)
CLUSTERS = np.array([0, 0, 0, 0, 1, 1, 1, -1])
FAR = np.array([0.9, 0.5, 0.5, 0.5, 0.02, 0.5, 0.5, 0.5])
UNREAD = np.array([False] * 7 + [True])
TEXT = np.array([0, 0, 0, 1, 1, 1, 2, 0])  # differs from GENES in cells 2 and 3
GENES = np.array([0, 0, 2, 0, 1, 1, 2, 0])
# ten calibration cells: of those at 0.8 and above none is wrong, at 0.6 one of nine
CONFIDENCE = np.array([0.95, 0.95, 0.9, 0.9, 0.85, 0.85, 0.8, 0.6, 0.6, 0.4])
RIGHT = np.array([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], dtype=bool)
SCORES = np.sort(np.where(RIGHT, 1 - CONFIDENCE, CONFIDENCE))


def planted(**changes) -> Labelling:
    """Eight cells in two clusters, the last one without a gene and in no cluster."""
    sureness = Sureness(1.0, ConformalSets(SCORES), CONFIDENCE, RIGHT)
    prediction = Prediction(
        classes=CLASSES, proba=PROBA, unread=UNREAD, far=FAR,
        members={"text": TEXT, "genes": GENES}, sureness=sureness, overlap={"text": 1.0},
        shared_genes=9,
    )  # fmt: skip
    values = {"ontology": {"B": "CL:0000236", "T": "CL:0000084"}} | changes
    ids = np.array([f"cell{i}" for i in range(8)])
    return Labelling(ids, prediction, CLUSTERS, "by hand", **values)
