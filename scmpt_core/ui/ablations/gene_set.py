"""A user's own genes, out of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from scmpt_core.ablations.request import SYMBOL
from scmpt_core.ui.ablations.subject import Subject

KEY = "gene_set"


def read_symbols(text: str) -> list[str]:
    """Symbols in ``text``, whatever stands between them, each once, in order."""
    return list(dict.fromkeys(word for word in SYMBOL.findall(text) if word.strip("._-@/")))


def find_symbols(symbols: Sequence[str], genes: np.ndarray) -> tuple[frozenset[str], list[str]]:
    """Those among ``genes``, as these spell them, and those that are not.

    Another case counts where it leaves no doubt: ``cd3e`` is CD3E, unless the file has both Cd3e
    and CD3E.
    """
    there = {str(gene) for gene in genes}
    spelled: dict[str, list[str]] = {}
    for gene in there:
        spelled.setdefault(gene.upper(), []).append(gene)
    found, unknown = set(), []
    for symbol in symbols:
        alike = [symbol] if symbol in there else spelled.get(symbol.upper(), [])
        if len(alike) == 1:
            found.add(alike[0])
        else:
            unknown.append(symbol)
    return frozenset(found), unknown


def chosen_genes(subject: Subject) -> frozenset[str]:
    """What stands in the box, as far as the file has it."""
    text = st.session_state.get(KEY, "")
    return find_symbols(read_symbols(text), subject.cells.genes)[0] if text else frozenset()
