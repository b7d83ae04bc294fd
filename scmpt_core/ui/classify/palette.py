"""Which name has which colour on this page."""

from __future__ import annotations

from scmpt_core.fusion import UNKNOWN
from scmpt_core.labelling import Labelling
from scmpt_core.library import Item


def palette_of(item: Item, labelling: Labelling) -> list[str]:
    """All names in the order of colours: the training column's, then those given by hand."""
    base = item.meta.get("palette") or list(labelling.prediction.classes)
    given = sorted(set(labelling.edits.values()) - {UNKNOWN, *base})
    return [*base, *given]
