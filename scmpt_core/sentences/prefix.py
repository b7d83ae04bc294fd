"""A text of one's own before the plain sentence, such as the tissue or organism."""

from __future__ import annotations

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.errors import SettingError
from scmpt_core.sentences.base import Format, FormatInfo, Words
from scmpt_core.sentences.ranking import rank_genes

MOST = 100  # characters: some 25 tokens, which genes then lack


class Prefixed(Format):
    """The same words before every cell; the genes behind them have what the window leaves."""

    def arrange(self, cells: Cells) -> Words:
        """The literal, then the ranked genes."""
        ranked = rank_genes(cells)
        words = np.insert(ranked.genes, ranked.indptr[:-1], len(cells.genes))
        return Words(ranked.indptr + np.arange(len(ranked.indptr)), words)

    def identity(self) -> dict:
        """With the text."""
        return {**super().identity(), "prefix": self.literals[0]}


def make_prefixed(text: str) -> Prefixed:
    """The format with ``text``, its white space made single.

    Raises
    ------
    SettingError
        The text is empty or too long.
    """
    words = " ".join(text.split())
    if not words:
        raise SettingError(
            "The prefix of the sentences is empty.", "Write one, such as 'human blood:'."
        )
    if len(words) > MOST:
        raise SettingError(
            f"The prefix of the sentences has {len(words):,} characters; at most {MOST} are "
            "allowed, as it takes the place of genes.",
            "Shorten it.",
        )
    return Prefixed(PREFIX, (words,))


PREFIX = FormatInfo(
    "prefix", "With a prefix", "your own text, such as “human blood:”, then plain", "this project",
    make_prefixed,
)  # fmt: skip
