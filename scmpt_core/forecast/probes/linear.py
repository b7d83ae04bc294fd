"""Logistic regressions on the sample, each asked about the fold that it has not seen."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from scmpt_core.forecast.probes.base import FUSED, Probed, ProbeInfo, macro_f1_of
from scmpt_core.forecast.sample import Sample
from scmpt_core.fusion.heads.linear import LinearHead, fit_linear
from scmpt_core.fusion.heads.stacking import fit_weights


def run(sample: Sample, seed: int) -> Probed:
    """Macro F1 of each encoder, and of their mixture with weights learnt on the other folds."""
    votes = torch.stack([out_of_fold(sample, name) for name in sample.encoders])
    named = dict(zip(sample.encoders, votes, strict=True))
    if len(votes) > 1:
        named[FUSED] = mixed(votes, sample)
    predicted = {name: v.argmax(dim=1).numpy() for name, v in named.items()}
    return macro_f1_of(sample, predicted, seed)


def out_of_fold(sample: Sample, name: str) -> Tensor:
    """Log probabilities, (cells, classes), by the regression of the other folds."""
    codes, folds = torch.from_numpy(sample.codes), torch.from_numpy(sample.folds)
    out = torch.empty(len(sample), sample.classes)
    fitted: tuple[np.ndarray, Tensor] | None = None
    for k, vectors in enumerate(sample.held):
        x = vectors[name]
        if fitted is None or fitted[0] is not x:  # vectors of a frozen encoder are the same
            with torch.random.fork_rng():
                head = LinearHead((x.shape[1],), sample.classes)
            found = fit_linear(head, torch.as_tensor(x, dtype=torch.float32), codes, folds)
            fitted = x, found.out_of_fold
        out[folds == k] = fitted[1][folds == k]
    return out


def mixed(votes: Tensor, sample: Sample) -> Tensor:
    """Log of the weighted mean probability, as the mixture has it, (cells, classes).

    Parameters
    ----------
    votes
        (encoders, cells, classes), log probabilities of unseen cells.
    """
    codes, folds = torch.from_numpy(sample.codes), torch.from_numpy(sample.folds)
    out = torch.empty_like(votes[0])
    for k in range(len(sample.held)):
        weights = fit_weights(votes[:, folds != k], codes[folds != k])
        shares = (weights / weights.sum()).to(votes)
        out[folds == k] = (votes[:, folds == k] + shares.log()[:, None, None]).logsumexp(0)
    return out


LINEAR = ProbeInfo(
    "linear", "Logistic regression", "macro F1 of the cells of the fold left out", True,
    "Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x", run,
)  # fmt: skip
