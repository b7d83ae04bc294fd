"""Samples and records with a known answer."""

from __future__ import annotations

import numpy as np

from scmpt_core.forecast import (
    ALWAYS_FUSED,
    ALWAYS_PCA,
    Calibration,
    Probed,
    Rival,
    Sample,
    TrackRecord,
)
from scmpt_core.fusion.logistic import folds_of

CLASSES = 4


def sample_of(
    strengths: dict[str, float], n: int = 160, seed: int = 0, groups: np.ndarray | None = None
) -> Sample:
    """Encoders of 12 features; ``strength`` is how far apart the types lie, in noise spreads."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n) % CLASSES)
    folds = folds_of(codes, groups, seed)
    whole = {}
    for name, strength in strengths.items():
        centres = np.eye(CLASSES, 12) * strength
        whole[name] = (centres[codes] + rng.normal(size=(n, 12))).astype(np.float32)
    return Sample(codes, CLASSES, folds, groups, whole, (whole,) * int(folds.max() + 1))


def probed_of(rows, values, resamples) -> Probed:
    """From plain lists."""
    return Probed(tuple(rows), np.array(values, float), np.array(resamples, float))


def record_of(pca: tuple[int, int], fused: tuple[int, int], hits: int = 25) -> TrackRecord:
    """A made-up record of 30 cases; pairs are (only ours, only theirs)."""
    rivals = tuple(
        Rival(name, hits - ours + its, ours, its)
        for name, (ours, its) in ((ALWAYS_PCA, pca), (ALWAYS_FUSED, fused))
    )
    bins = ({"low": 0.0, "high": 1.0, "said": 0.5, "best": 0.5, "n": 8},)
    return TrackRecord(
        "linear", Calibration(0.9, {"text": -0.01, "fused": 0.01}, 0.02), 30, hits, rivals, 0.5,
        0.1, bins, ("a", "b", "c", "d", "e", "f"), ("minilm", "pca"), 300, "made up",
    )  # fmt: skip
