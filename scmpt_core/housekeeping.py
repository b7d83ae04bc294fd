"""Housekeeping genes: high in every cell, so that they fill a cell sentence with little to tell.

Ribosomal proteins, all of the mitochondrial genome, elongation factor 1, MALAT1 and TPT1, with
their pseudogenes: in blood they are most of the first words of a sentence.
"""

from __future__ import annotations

import re

import numpy as np

# Neither the ribosomal kinases (RPS6KA1), nor what binds or modifies (RPS19BP1, EEF1AKMT1), nor
# ribosomes of mitochondria (MRPL3), nor read-throughs and antisense (RPS10-NUDT3, TPT1-AS1).
# Mouse differs in case, and in "-ps" of pseudogenes. The sentence format without them depends on
# this: raise its version when it changes.
HOUSEKEEPING = re.compile(
    r"RP[LS](?!6K[A-Z]|19BP)(A|P?\d)[A-Z0-9]*(-PS\d*)?|EEF1(?!AK)[A-Z][A-Z0-9]*(-PS\d*)?"
    r"|TPT1(P\d+|-PS\d*)?|MT-.+|MALAT1",
    re.IGNORECASE,
)


def is_housekeeping(genes: np.ndarray) -> np.ndarray:
    """Which symbols of ``genes``, of human or mouse, are housekeeping genes, (genes,) bool."""
    return np.array([HOUSEKEEPING.fullmatch(str(gene)) is not None for gene in genes], dtype=bool)
