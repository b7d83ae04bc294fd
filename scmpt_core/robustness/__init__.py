"""How a saved model stands up to cells unlike those it was trained on."""

from scmpt_core.robustness.card import (
    CARD,
    Card,
    Held,
    Outcome,
    load_card,
    save_card,
)
from scmpt_core.robustness.run import SHIFTS, make_card

__all__ = ["CARD", "SHIFTS", "Card", "Held", "Outcome", "load_card", "make_card", "save_card"]
