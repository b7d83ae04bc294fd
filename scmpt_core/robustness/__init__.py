"""How a saved model stands up to cells unlike those it was trained on."""

from scmpt_core.robustness.card import (
    CARD,
    Card,
    Held,
    Outcome,
    load_card,
    save_card,
)
from scmpt_core.robustness.run import make_card
from scmpt_core.robustness.trial import (
    RULE,
    SHIFTS,
    outcome,
    refusal,
    shifted,
    shifts,
    unlimited,
)

__all__ = [
    "CARD",
    "RULE",
    "SHIFTS",
    "Card",
    "Held",
    "Outcome",
    "load_card",
    "make_card",
    "outcome",
    "refusal",
    "save_card",
    "shifted",
    "shifts",
    "unlimited",
]
