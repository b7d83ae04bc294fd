"""Occlusion: the logit with each gene, less the logit without it."""

from __future__ import annotations

import numpy as np

from scmpt_core.attribution.base import CellScores, MethodInfo, Options
from scmpt_core.attribution.subject import Subject


def explain(subject: Subject, target: int, options: Options, seed: int) -> dict[str, CellScores]:
    """One cell less a gene for each gene read; nothing is drawn, so ``seed`` is not used."""
    read = np.flatnonzero(np.any([subject.seen(way) for way in subject.ways], axis=0))
    present = np.ones((len(read), len(subject.columns)), dtype=bool)
    present[np.arange(len(read)), read] = False
    without = subject.logits(present) if len(read) else {}
    out = {}
    for way in subject.ways:
        scores = np.zeros(len(subject.columns))
        if len(read):
            scores[read] = subject.whole[way.name][target] - without[way.name][:, target]
        scores[~subject.seen(way)] = 0.0  # not read, so out or in is the same: exactly 0
        out[way.name] = CellScores(scores, {"evaluations": float(len(read))})
    return out


OCCLUSION = MethodInfo(
    "occlusion", "Occlusion",
    "each gene is taken out by itself; what the logit loses is its score",
    "Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53", False, explain,
)  # fmt: skip
