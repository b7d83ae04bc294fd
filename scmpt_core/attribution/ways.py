"""What of a model can be explained: the whole of it, and each encoder's part of the head alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scmpt_core.errors import SettingError
from scmpt_core.fusion import ScMPT
from scmpt_core.fusion.heads import Head


@dataclass(frozen=True, eq=False)
class Way:
    """Encoders and the differentiable head over them, in order."""

    name: str
    encoders: tuple[str, ...]
    head: Head


def ways_of(model: ScMPT) -> list[Way]:
    """The model, then each encoder's member of its head.

    Heads that mix the encoders before they judge have no members: then there is the model alone.
    """
    whole = Way(model.name, tuple(model.encoders), model.head)
    members = getattr(model.head, "members", ())
    if len(model.encoders) < 2 or len(members) != len(model.encoders):
        return [whole]
    parts = [Way(n, (n,), member) for n, member in zip(model.encoders, members, strict=True)]
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
            f"{model.name} cannot be explained as {', '.join(unknown)}.",
            f"Name some of: {', '.join(known)}.",
        )
    return [way for way in ways if names is None or way.name in names]
