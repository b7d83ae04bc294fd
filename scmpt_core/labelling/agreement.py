"""Whether the encoders, each judged alone, name the same types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scmpt_core.fusion import Prediction


@dataclass(frozen=True)
class Agreement:
    """How far the encoders of a model agree on cells that are read.

    Parameters
    ----------
    cells
        That are read.
    agree
        Of these, cells that all encoders give one type.
    with_fused
        Encoder → cells that it names as the fused model does.
    disputes
        The types that each encoder names, in the order of ``with_fused``, then the fused one,
        and how many cells have just these; most frequent first.
    """

    cells: int
    agree: int
    with_fused: dict[str, int]
    disputes: list[tuple[tuple[str, ...], str, int]]


def agreement(prediction: Prediction) -> Agreement | None:
    """Over the cells that are read; ``None`` where the head does not judge encoders alone."""
    disagree = prediction.disagree
    if disagree is None:
        return None
    read, classes = ~prediction.unread, np.array(prediction.classes)
    fused = prediction.proba.argmax(axis=1)
    codes = np.stack([*prediction.members.values(), fused], axis=1)  # (cells, encoders + 1)
    rows, counts = np.unique(codes[disagree & read], axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    disputes = [
        (tuple(classes[rows[i, :-1]].tolist()), str(classes[rows[i, -1]]), int(counts[i]))
        for i in order
    ]
    same = {name: int((mine == fused)[read].sum()) for name, mine in prediction.members.items()}
    return Agreement(int(read.sum()), int((read & ~disagree).sum()), same, disputes)


def disputed(prediction: Prediction) -> np.ndarray:
    """Which cells the encoders name differently, (cells,) bool; none where it is not known."""
    if prediction.disagree is None:
        return np.zeros(len(prediction.unread), dtype=bool)
    return prediction.disagree & ~prediction.unread
