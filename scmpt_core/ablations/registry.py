"""The list of ablations. Adding one is a line in its family's file."""

from __future__ import annotations

from scmpt_core.ablations.base import AblationInfo
from scmpt_core.ablations.blocks import BLOCKS
from scmpt_core.ablations.content import CONTENT
from scmpt_core.ablations.identity import IDENTITY
from scmpt_core.ablations.order import ORDER
from scmpt_core.ablations.values import VALUES
from scmpt_core.ablations.window import WINDOW
from scmpt_core.registry import find

ABLATIONS = [*ORDER, *IDENTITY, *CONTENT, *WINDOW, *VALUES, *BLOCKS]
# The paper's three, and what it reports of them: accuracy on Aorta with Ember-V1, 0.906 without
# any. Another dataset and encoder, and probably refitted heads: beside ours, never against them.
PAPERS = {
    "shuffle-before": "0.906 → 0.334",
    "hash": "0.906 → 0.830",
    "shuffle-top": "shuffling the top 10 % costs out of proportion",
}


def get_ablation(name: str) -> AblationInfo:
    """The entry called ``name``.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(ABLATIONS, name, "ablation")
