"""What a head is: embeddings of one cell, side by side, in; one logit a class out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Budget, Data, Fit
from scmpt_core.progress import Progress

Made = TypeVar("Made", bound="Head")


class Head(nn.Module):
    """Raw embeddings → logits, differentiable, with all it needs in its state dict.

    Parameters
    ----------
    blocks
        Features of each encoder, in order.
    """

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.blocks, self.classes = tuple(blocks), classes

    def split(self, x: Tensor) -> tuple[Tensor, ...]:
        """(cells, features) → one (cells, block) an encoder."""
        return x.split(self.blocks, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """(cells, features) as the encoders gave them → logits, (cells, classes)."""
        raise NotImplementedError

    def counts(self) -> list[bool]:
        """Whether each encoder can move a logit; one with the weight 0 cannot."""
        return [True] * len(self.blocks)

    def shares(self) -> list[float] | None:
        """Weights by which its logits are a sum of its members'; ``None``: they are no such sum."""
        return None


class StandardisedHead(Head):
    """A head that standardises each encoder's block as it was in the training cells.

    So one with large numbers does not drown the other.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__(blocks, classes)
        self.register_buffer("mean", torch.zeros(sum(blocks)))
        self.register_buffer("scale", torch.ones(sum(blocks)))

    def standardise(self, x: Tensor) -> None:
        """Take each feature's mean and each block's spread from ``x``, (cells, features).

        One spread a block, not one a feature: the components of a PCA, scaled to one spread
        each, would drown the few that carry the types among those that are noise.
        """
        self.mean.copy_(x.mean(dim=0))
        pairs = zip(self.split(x - self.mean), self.scale.split(self.blocks), strict=True)
        for centred, scale in pairs:
            spread = float(centred.square().mean().sqrt())
            scale.fill_(spread if spread > 1e-6 else 1.0)

    def standardised(self, x: Tensor) -> Tensor:
        """(cells, features) → the same, in spreads from the mean."""
        return (x - self.mean) / self.scale


def unfitted(make: Callable[[tuple[int, ...], int], Made], data: Data, device: Device) -> Made:
    """A head for ``data``; the caller's random state is left as it was."""
    with torch.random.fork_rng():
        return make(data.blocks, data.classes).to(device.name)


@dataclass(frozen=True)
class HeadInfo:
    """The metadata record of a head.

    Parameters
    ----------
    fuses
        Whether it needs two encoders or more.
    half
        The heads that judge one encoder the way this one does: with these on top, an encoder alone
        is a half of the fusion.
    make
        ``make(blocks, classes)``: unfitted, for :meth:`torch.nn.Module.load_state_dict`.
    fit
        ``fit(data, budget, seed, device, progress)``: chosen without any test cell; the caller's
        random state is left as it was.
    """

    name: str
    title: str
    summary: str
    reference: str
    fuses: bool
    half: tuple[str, ...]
    make: Callable[[tuple[int, ...], int], Head]
    fit: Callable[[Data, Budget, int, Device, Progress], Fit]
