"""What heads that pool one linear head an encoder have in common."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Data
from scmpt_core.fusion.heads.base import Head
from scmpt_core.fusion.heads.linear import LinearHead, fit_linear, folded
from scmpt_core.progress import Progress


class PooledHead(Head):
    """A linear head an encoder, which vote."""

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__(blocks, classes)
        self.members = nn.ModuleList(LinearHead((n,), classes) for n in blocks)

    def votes(self, x: Tensor) -> Tensor:
        """(cells, features) → log probabilities by each, (encoders, cells, classes)."""
        pairs = zip(self.members, self.split(x), strict=True)
        return torch.stack([member(block).log_softmax(-1) for member, block in pairs])


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """How the members voted on cells that they had not seen.

    Parameters
    ----------
    votes
        (encoders, cells, classes), log probabilities.
    codes
        The class of each of these cells, (cells,).
    strengths
        The L2 strength of each member.
    searched
        Strengths tried, over all members.
    """

    votes: Tensor
    codes: Tensor
    strengths: list[float]
    searched: int


def fit_members(
    head: PooledHead, data: Data, seed: int, device: Device, progress: Progress
) -> OutOfFold:
    """Fit each member of ``head`` to training and validation cells, all on the same folds."""
    x, codes, folds = folded(data, seed, device)
    found = []
    for i, (member, block) in enumerate(zip(head.members, head.split(x), strict=True)):
        progress(i / len(data.blocks), f"encoder {i + 1} of {len(data.blocks)}")
        found.append(fit_linear(member, block, codes, folds))
    judged = found[0].judged  # the folds are the same for all, and so are these
    return OutOfFold(
        torch.stack([regression.out_of_fold[judged] for regression in found]),
        codes[judged],
        [regression.strength for regression in found],
        sum(len(regression.losses) for regression in found),
    )
