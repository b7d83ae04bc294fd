"""Late average: each encoder has a linear head, and their probabilities are averaged."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Budget, Data, Fit
from scmpt_core.fusion.heads.base import HeadInfo, unfitted
from scmpt_core.fusion.heads.members import PooledHead, fit_members
from scmpt_core.progress import Progress


class AverageHead(PooledHead):
    """Logits = log of the mean probability: a linear opinion pool with equal weights."""

    def forward(self, x: Tensor) -> Tensor:  # (cells, features) → (cells, classes)
        return pool(self.votes(x))


def pool(votes: Tensor) -> Tensor:
    """Log probabilities, (encoders, cells, classes) → log of their mean, (cells, classes)."""
    return votes.logsumexp(0) - math.log(len(votes))


def fit(data: Data, budget: Budget, seed: int, device: Device, progress: Progress) -> Fit:
    """The members; the mean has nothing to fit."""
    head = unfitted(AverageHead, data, device)
    unseen = fit_members(head, data, seed, device, progress)
    loss = float(F.nll_loss(pool(unseen.votes), unseen.codes))
    return Fit(head.eval(), {"l2": unseen.strengths}, (), loss, unseen.searched)


AVERAGE = HeadInfo(
    "average", "Late average",
    "one logistic regression an encoder; the mean of their probabilities",
    "Stone 1961, doi:10.1214/aoms/1177704873", True, ("linear",), AverageHead, fit,
)  # fmt: skip
