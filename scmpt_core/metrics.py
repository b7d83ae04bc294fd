"""How good predictions are: arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


@dataclass(frozen=True)
class Scores:
    """Scores of one test, all in 0…1, higher is better.

    The macro averages run over the classes that the test cells hold.
    """

    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    per_class: dict[str, dict[str, float]]  # class → precision, recall, f1, support
    confusion: np.ndarray  # (classes, classes), truth in rows

    @property
    def summary(self) -> dict[str, float]:
        """The four headline numbers."""
        return {name: getattr(self, name) for name in HEADLINE}


HEADLINE = ("accuracy", "macro_precision", "macro_recall", "macro_f1")


def score(truth: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]) -> Scores:
    """Score class codes, both (cells,), against each other.

    A class without a prediction has precision 0.

    Raises
    ------
    ValueError
        There are no cells, or the lengths differ.
    """
    if not len(truth) or len(truth) != len(predicted):
        raise ValueError(f"{len(truth)} true and {len(predicted)} predicted labels")
    present = np.unique(truth)
    columns = precision_recall_fscore_support(truth, predicted, labels=present, zero_division=0.0)
    precision, recall, f1, support = columns
    per_class = {
        classes[code]: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i, code in enumerate(present)
    }
    return Scores(
        accuracy=float(np.mean(truth == predicted)),
        macro_precision=float(precision.mean()),
        macro_recall=float(recall.mean()),
        macro_f1=float(f1.mean()),
        per_class=per_class,
        confusion=confusion_matrix(truth, predicted, labels=np.arange(len(classes))),
    )
