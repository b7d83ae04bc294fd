"""The paper's sentence: symbols by falling expression."""

from __future__ import annotations

from scmpt_core.cells import Cells
from scmpt_core.sentences.base import Format, FormatInfo, Words
from scmpt_core.sentences.ranking import rank_genes


class Plain(Format):
    """Zeros left out, ties broken by a draw that belongs to the cell."""

    def arrange(self, cells: Cells) -> Words:
        """The ranked genes."""
        ranked = rank_genes(cells)
        return Words(ranked.indptr, ranked.genes)

    def identity(self) -> str:
        """A word, as in embeddings and models from before there were other formats."""
        return self.info.name


PLAIN = FormatInfo(
    "plain", "Plain", "gene symbols by falling expression",
    "arXiv 2507.10039; Levine et al. 2023, doi:10.1101/2023.09.11.557287",
    lambda _text: Plain(PLAIN),
)  # fmt: skip
