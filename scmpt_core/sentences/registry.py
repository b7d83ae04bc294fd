"""The list of sentence formats. Adding one is a line here and a file."""

from __future__ import annotations

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.registry import find
from scmpt_core.sentences.base import Format, FormatInfo
from scmpt_core.sentences.described import DESCRIBED
from scmpt_core.sentences.levels import LEVELS
from scmpt_core.sentences.no_housekeeping import NO_HOUSEKEEPING
from scmpt_core.sentences.plain import PLAIN
from scmpt_core.sentences.prefix import PREFIX
from scmpt_core.sentences.relative import RELATIVE
from scmpt_core.sentences.specific import SPECIFIC

FORMATS = [PLAIN, NO_HOUSEKEEPING, SPECIFIC, RELATIVE, LEVELS, DESCRIBED, PREFIX]


def get_format(name: str) -> FormatInfo:
    """The entry called ``name``.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(FORMATS, name, "sentence format")


def cell_sentences(cells: Cells, form: Format | None = None) -> list[str]:
    """The whole sentence of each cell, plain by default; ``""`` where there is no word."""
    form = form or PLAIN.make("")
    words = form.arrange(cells)
    spelled = np.array([*form.spell(cells.genes), *form.literals], dtype=object)
    return [" ".join(spelled[words.of(cell)]) for cell in range(len(cells))]
