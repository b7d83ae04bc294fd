"""Which ablations can be made of a model on some cells, and why the others cannot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from scmpt_core.ablations.base import AblationInfo, Need
from scmpt_core.encoders import Encoder
from scmpt_core.encoders.base import Modality
from scmpt_core.encoders.text import TextEncoder

Obstacle = Literal["counts", "markers", "gene set", "weighted", "alone", "unread"]
WHY: dict[Obstacle, str] = {
    "counts": "the file holds no counts",
    "markers": "no type is matched to an entry of a marker database",
    "gene set": "no gene set was given",
    "weighted": "the model's sentences order genes by more than their expression",
    "alone": "the model has one encoder: nothing would be left",
    "unread": "the model has no encoder that reads what it changes",
}


def obstacle(
    info: AblationInfo, modalities: Collection[Modality], have: Mapping[Need, bool],
    weighted: bool,
) -> Obstacle | None:  # fmt: skip
    """What stands in the way of an ablation; ``None``: nothing does.

    Parameters
    ----------
    modalities
        Of the model's encoders, one each.
    have
        What there is of what ablations may need.
    weighted
        Whether the model's sentences order genes by more than their expression.
    """
    for need in info.needs:
        if not have[need]:
            return need
    if weighted and reorders(info):
        return "weighted"
    if info.mix is not None:
        return "alone" if len(modalities) < 2 else None
    return None if set(info.acts_on) & set(modalities) else "unread"


def reorders(info: AblationInfo) -> bool:
    """Whether it hands a text encoder places in place of expression, or cuts by them."""
    return "text" in info.acts_on and info.family in ("order", "identity", "window")


def weighs(encoder: Encoder) -> bool:
    """Whether a text encoder multiplies expression with weights of its own before it ranks."""
    return isinstance(encoder, TextEncoder) and encoder.info.fitted
