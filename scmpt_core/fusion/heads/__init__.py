"""The heads: what stands on the embeddings. A kind is one file and one line here."""

from scmpt_core.fusion.heads.attention import ATTENTION
from scmpt_core.fusion.heads.average import AVERAGE
from scmpt_core.fusion.heads.base import Head, HeadInfo
from scmpt_core.fusion.heads.concat import CONCAT
from scmpt_core.fusion.heads.gated import GATED
from scmpt_core.fusion.heads.linear import LINEAR
from scmpt_core.fusion.heads.mixture import MIXTURE
from scmpt_core.fusion.heads.stacking import STACKING
from scmpt_core.registry import find

HEADS = [STACKING, MIXTURE, CONCAT, GATED, ATTENTION, AVERAGE, LINEAR]


def get_head(name: str) -> HeadInfo:
    """The entry called ``name``.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(HEADS, name, "head")


__all__ = ["HEADS", "Head", "HeadInfo", "get_head"]
