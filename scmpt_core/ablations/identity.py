"""Identity: the same order and values under other names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from scmpt_core.ablations.base import EVERY, AblationInfo, Context, shares
from scmpt_core.ablations.order import PAPER
from scmpt_core.ablations.ragged import Ranked, gene_chance, renamed
from scmpt_core.cells import Cells
from scmpt_core.data.genes import ensembl_to_symbol

ALIKE = 20  # genes of like mean expression, among which a name is swapped


def _named(cells: Cells, context: Context, names: np.ndarray) -> Cells:
    """Under ``names``; a text encoder reads them in the old order, ties included."""
    if context.modality == "text":
        return Ranked.of(cells).cells(cells, names)
    return renamed(cells, names)


def _spelled(spell: Callable[[str], str]) -> Callable[[Cells, Context, float, int], Cells]:
    def perturb(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
        chosen = gene_chance(cells, seed) < strength
        names = cells.genes.astype(object)
        names[chosen] = [spell(str(gene)) for gene in cells.genes[chosen]]
        return _named(cells, context, _unique(names.astype(str), cells.genes))

    return perturb


def _unique(names: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """``names`` where no two genes share one; their symbols where they would."""
    while True:
        _, place, count = np.unique(names, return_inverse=True, return_counts=True)
        clash = (count[place] > 1) & (names != symbols)
        if not clash.any():
            return names
        names = np.where(clash, symbols, names)


def _hash(symbol: str) -> str:
    return hashlib.blake2b(symbol.encode(), digest_size=4).hexdigest()


@lru_cache
def _identifiers() -> dict[str, str]:
    """Symbol → Ensembl gene id, human before mouse, the first in GENCODE of several."""
    out: dict[str, str] = {}
    for species in ("homo_sapiens", "mus_musculus"):
        for identifier, symbol in ensembl_to_symbol(species).items():
            out.setdefault(symbol, identifier)
    return out


def _ensembl(symbol: str) -> str:
    return _identifiers().get(symbol, symbol)


def swap_alike(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
    """Each gene takes the name of another of like mean expression.

    Names go round within blocks of 20 genes, sorted by mean expression, that every encoder has a
    weight for; so each encoder reads as many genes as before.
    """
    chosen = np.flatnonzero(context.known & (gene_chance(cells, seed) < strength))
    order = chosen[np.lexsort((cells.gene_hashes[chosen], context.means[chosen]))]
    names = cells.genes.copy()
    for start in range(0, len(order), ALIKE):
        block = order[start : start + ALIKE]
        turn = block[np.argsort(gene_chance(cells, seed + 1)[block])]
        names[turn] = cells.genes[np.roll(turn, 1)]
    return _named(cells, context, names)


NAMES = shares("share of the genes renamed", 0.25, 0.5, 0.75, 1.0, default=1.0)

IDENTITY = [
    AblationInfo(
        "hash", "identity", "Names hashed",
        "each gene's symbol replaced by eight hexadecimal digits, the same in all cells",
        ("text",), NAMES, True, perturb=_spelled(_hash), reference=PAPER,
    ),
    AblationInfo(
        "swap-genes", "identity", "Names of other genes",
        "each gene takes the name of another of like mean expression, the same in all cells",
        EVERY, NAMES, True, perturb=swap_alike,
    ),
    AblationInfo(
        "lower-case", "identity", "Lower case",
        "symbols in small letters: no change for an encoder that knows no capitals",
        ("text",), NAMES, True, perturb=_spelled(str.lower),
    ),
    AblationInfo(
        "ensembl", "identity", "Ensembl ids",
        "Ensembl gene ids in place of symbols; genes unknown to GENCODE keep their symbols",
        ("text",), NAMES, True, perturb=_spelled(_ensembl),
    ),
]  # fmt: skip
