"""What of a model can be looked at: the whole of it, and each encoder's part of the head alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scmpt_core.errors import SettingError
from scmpt_core.fusion.heads import Head
from scmpt_core.fusion.model import ScMPT


@dataclass(frozen=True, eq=False)
class Way:
    """Encoders and the differentiable head over them, in order."""

    name: str
    encoders: tuple[str, ...]
    head: Head


def ways_of(model: ScMPT) -> list[Way]:
    """The model, then each encoder's member of its head."""
    return parts_of(model.name, tuple(model.encoders), model.head)


def parts_of(name: str, encoders: tuple[str, ...], head: Head) -> list[Way]:
    """The whole of ``head``, called ``name``, then its member for each of ``encoders``.

    Heads that mix the encoders before they judge have no members: then there is the whole alone.
    """
    whole = Way(name, encoders, head)
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
