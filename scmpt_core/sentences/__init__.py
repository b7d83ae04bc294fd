"""Cells → cell sentences, in one of several formats.

The plain one (arXiv 2507.10039; Levine et al. 2023, doi:10.1101/2023.09.11.557287) is the symbols
of the expressed genes by falling expression, zeros left out, separated by spaces.
"""

from scmpt_core.sentences.base import Format, FormatInfo, Words
from scmpt_core.sentences.plain import PLAIN
from scmpt_core.sentences.prefix import MOST as MOST_PREFIX
from scmpt_core.sentences.prefix import PREFIX
from scmpt_core.sentences.ranking import VERSION, RankedGenes, rank_genes
from scmpt_core.sentences.registry import FORMATS, cell_sentences, get_format

__all__ = [
    "FORMATS",
    "MOST_PREFIX",
    "PLAIN",
    "PREFIX",
    "VERSION",
    "Format",
    "FormatInfo",
    "RankedGenes",
    "Words",
    "cell_sentences",
    "get_format",
    "rank_genes",
]
