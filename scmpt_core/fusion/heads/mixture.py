"""Each encoder judged twice, and mixed by what unseen cells showed."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Budget, Data, Fit
from scmpt_core.fusion.heads.base import Head, HeadInfo, unfitted
from scmpt_core.fusion.heads.concat import CONCAT, ConcatHead
from scmpt_core.fusion.heads.linear import LinearHead
from scmpt_core.fusion.heads.members import PooledHead, fit_members
from scmpt_core.fusion.heads.stacking import fit_weights
from scmpt_core.progress import Progress, part


class PairHead(Head):
    """A logistic regression and the paper's dense network over one encoder: their mean."""

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__(blocks, classes)
        self.linear, self.dense = LinearHead(blocks, classes), ConcatHead(blocks, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(cells, features) → log of the mean probability, (cells, classes)."""
        votes = torch.stack([self.linear(x), self.dense(x)]).log_softmax(-1)
        return votes.logsumexp(0) - torch.tensor(2.0).log()


class MixtureHead(Head):
    """Logits = log Σ weight · probability by each encoder's pair: a linear opinion pool.

    Two kinds of classifier over the same vectors err on different cells, and a mean of
    probabilities cannot be worse, in log loss, than the mean of its members. The weights are
    those of stacking, so that an encoder which adds nothing has next to none.
    """

    weights: Tensor

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__(blocks, classes)
        self.members = nn.ModuleList(PairHead((n,), classes) for n in blocks)
        self.register_buffer("weights", torch.full((len(blocks),), 1 / len(blocks)))

    def forward(self, x: Tensor) -> Tensor:  # (cells, features) → (cells, classes)
        pairs = zip(self.members, self.split(x), strict=True)
        votes = torch.stack([member(block) for member, block in pairs])  # (encoders, …)
        return (votes + self.weights.log()[:, None, None]).logsumexp(0)

    def counts(self) -> list[bool]:
        return (self.weights != 0).tolist()


def fit(data: Data, budget: Budget, seed: int, device: Device, progress: Progress) -> Fit:
    """Linear members and weights out of fold; dense members by the budget's grid."""
    head = unfitted(MixtureHead, data, device)
    linear = unfitted(PooledHead, data, device)
    unseen = fit_members(linear, data, seed, device, part(progress, 0, 0.2))
    weights = fit_weights(unseen.votes, unseen.codes)
    with torch.no_grad():
        head.weights.copy_(weights / weights.sum())
    dense = []
    for i, member in enumerate(head.members):
        share = 0.8 / len(head.members)
        step = part(progress, 0.2 + share * i, 0.2 + share * (i + 1))
        found = data.dense[i] or CONCAT.fit(data.alone(i), budget, seed, device, step)
        member.linear.load_state_dict(linear.members[i].state_dict())
        member.dense.load_state_dict(found.head.state_dict())
        dense.append(found)
    pooled = (unseen.votes + head.weights.to(unseen.votes).log()[:, None, None]).logsumexp(0)
    chosen = {
        "l2": unseen.strengths,
        "weights": [round(weight, 4) for weight in head.weights.tolist()],
        "dense": [found.hyperparameters for found in dense],
    }
    searched = unseen.searched + sum(found.searched for found in dense)
    return Fit(head.eval(), chosen, (), float(F.nll_loss(pooled, unseen.codes)), searched)


MIXTURE = HeadInfo(
    "mixture", "Mixture",
    "a logistic regression and the paper's dense network over each encoder; their probabilities "
    "are mixed with weights learnt on cells they have not seen",
    "Stone 1961, doi:10.1214/aoms/1177704873; van der Laan et al. 2007, "
    "doi:10.2202/1544-6115.1309",
    True, ("linear", "concat"), MixtureHead, fit,
)  # fmt: skip
