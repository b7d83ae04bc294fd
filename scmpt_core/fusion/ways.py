"""What of a model can be looked at: the whole of it, and each encoder's part of the head alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from scmpt_core.errors import SettingError
from scmpt_core.fusion.heads import Head
from scmpt_core.fusion.model import ScMPT


@dataclass(frozen=True, eq=False)
class Way:
    """Encoders and the differentiable head over them, in order.

    An encoder to which the head gives the weight 0 is none of them: the model's answer does not
    hang on what it reads.
    """

    name: str
    encoders: tuple[str, ...]
    head: Head

    @property
    def shares(self) -> dict[str, float] | None:
        """Part → weight, where the logits are a sum of the parts'; ``None``: they are not."""
        shares = self.head.shares()
        return None if shares is None else dict(zip(self.encoders, shares, strict=True))


class HeadOfSome(Head):
    """A head over those of its encoders that count; the others' vectors are taken as 0."""

    def __init__(self, head: Head, counts: list[bool]) -> None:
        super().__init__(
            tuple(n for n, kept in zip(head.blocks, counts, strict=True) if kept), head.classes
        )
        self.head, self.kept = head, counts
        self.columns = torch.tensor(counts).repeat_interleave(torch.tensor(head.blocks)).nonzero()

    def forward(self, x: Tensor) -> Tensor:  # (cells, features kept) → (cells, classes)
        every = x.new_zeros(len(x), sum(self.head.blocks))
        return self.head(every.index_copy(1, self.columns.ravel().to(x.device), x))

    def shares(self) -> list[float] | None:
        every = self.head.shares()
        if every is None:
            return None
        return [share for share, kept in zip(every, self.kept, strict=True) if kept]


def ways_of(model: ScMPT) -> list[Way]:
    """The model, then each encoder's member of its head."""
    return parts_of(model.name, tuple(model.encoders), model.head)


def parts_of(name: str, encoders: tuple[str, ...], head: Head) -> list[Way]:
    """The whole of ``head``, called ``name``, then its member for each of ``encoders``.

    Heads that mix the encoders before they judge have no members: then there is the whole alone.
    """
    counts = head.counts()
    read = tuple(n for n, kept in zip(encoders, counts, strict=True) if kept)
    whole = Way(name, read, head if all(counts) else HeadOfSome(head, counts))
    members = getattr(head, "members", ())
    if len(encoders) < 2 or len(members) != len(encoders):
        return [whole]
    parts = [Way(n, (n,), member) for n, member in zip(encoders, members, strict=True)]
    return [whole, *parts]


def chosen_ways(model: ScMPT, names: Sequence[str] | None) -> list[Way]:
    """The ways of these names, ``None``: all.

    Raises
    ------
    SettingError
        The model has no such way.
    """
    ways = ways_of(model)
    known = [way.name for way in ways]
    if unknown := [name for name in names or () if name not in known]:
        raise SettingError(
            f"{model.name} has no part {', '.join(unknown)}.",
            f"Name some of: {', '.join(known)}.",
        )
    return [way for way in ways if names is None or way.name in names]
