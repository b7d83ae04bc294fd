"""Occlusion: the logit with each gene, less the logit without it."""

from __future__ import annotations

import numpy as np

from scmpt_core.attribution.base import CellScores, MethodInfo, Options
from scmpt_core.attribution.subject import Subject


def explain(subject: Subject, target: int, options: Options, seed: int) -> dict[str, CellScores]:
    """One cell less a gene for each that decides; nothing is drawn, so ``seed`` is not used."""
    tried = np.flatnonzero(np.any([subject.deciding(way) for way in subject.ways], axis=0))
    present = np.ones((len(tried), len(subject.columns)), dtype=bool)
    present[np.arange(len(tried)), tried] = False
    without = subject.logits(present) if len(tried) else {}
    out = {}
    for way in subject.ways:
        scores = np.zeros(len(subject.columns))
        if len(tried):
            scores[tried] = subject.whole[way.name][target] - without[way.name][:, target]
        scores[~subject.deciding(way)] = 0.0  # out or in, the same is read: exactly 0
        out[way.name] = CellScores(scores, {"evaluations": float(len(tried))})
    return out


OCCLUSION = MethodInfo(
    "occlusion", "Occlusion",
    "each gene is taken out by itself; what the logit loses is its score",
    "Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53", False, True, explain,
)  # fmt: skip
