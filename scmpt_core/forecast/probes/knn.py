"""The votes of the nearest cells that are not in the cell's own fold."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from scmpt_core.forecast.probes.base import FUSED, Probed, ProbeInfo, macro_f1_of
from scmpt_core.forecast.sample import Sample

NEIGHBOURS = 5  # a class has at least 10 cells in the sample


def run(sample: Sample, seed: int) -> Probed:
    """Macro F1 of each encoder's votes, and of all encoders' votes together."""
    votes = {name: votes_of(sample, name) for name in sample.encoders}
    if len(votes) > 1:
        votes[FUSED] = sum(votes.values())
    return macro_f1_of(sample, {name: v.argmax(axis=1) for name, v in votes.items()}, seed)


def votes_of(sample: Sample, name: str) -> np.ndarray:
    """Votes for each class, (cells, classes); ties go to the class that has more cells.

    Distances are those of the vectors as they are: one spread a feature would let the components
    of a PCA that are noise drown the few that carry the types.
    """
    ahead = np.bincount(sample.codes, minlength=sample.classes) / (len(sample) + 1)
    votes = np.tile(ahead, (len(sample), 1))  # below one vote in all
    for k, vectors in enumerate(sample.held):
        mine, others = np.flatnonzero(sample.folds == k), np.flatnonzero(sample.folds != k)
        far = cdist(vectors[name][mine], vectors[name][others])  # (mine, others)
        near = np.argsort(far, axis=1, kind="stable")[:, :NEIGHBOURS]
        for codes in sample.codes[others][near].T:  # the first neighbour of all, the second, …
            votes[mine, codes] += 1
    return votes


KNN = ProbeInfo(
    "knn", "Nearest neighbours", f"macro F1 of the votes of {NEIGHBOURS} cells of other folds",
    True, "Cover & Hart 1967, doi:10.1109/TIT.1967.1053964", run,
)  # fmt: skip
