"""Order: the same genes in another order. Only text encoders read one.

Before truncation, genes from behind can come into the window; within it, the text encoder reads
the same genes, or all but the last where word pieces no longer fit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scmpt_core.ablations.base import AblationInfo, Context, Strength, numbers, shares
from scmpt_core.ablations.ragged import Ranked
from scmpt_core.cells import Cells

PAPER = "Palayew, Wang & Bader 2025, arXiv 2507.10039"
# (ranked, genes in scope by cell, strength, chance, chance) → movable, key
Rule = Callable[[Ranked, np.ndarray, float, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _perturb(rule: Rule, within: bool) -> Callable[[Cells, Context, float, int], Cells]:
    def perturb(cells: Cells, context: Context, strength: float, seed: int) -> Cells:
        ranked = Ranked.of(cells)
        scope = np.minimum(context.window, ranked.sizes) if within else ranked.sizes
        inside = ranked.places < scope[ranked.rows]
        movable, key = rule(
            ranked, scope, strength, ranked.chance(cells, 2 * seed),
            ranked.chance(cells, 2 * seed + 1),
        )  # fmt: skip
        return ranked.reordered(movable & inside, key).cells(cells)

    return perturb


def _shuffle(ranked, scope, strength, first, second):
    return second < strength, first


def _shuffle_top(ranked, scope, strength, first, second):
    return ranked.places < np.ceil(strength * scope)[ranked.rows], first


def _shuffle_rest(ranked, scope, strength, first, second):
    return ranked.places >= np.ceil(strength * scope)[ranked.rows], first


def _reverse(ranked, scope, strength, first, second):
    return np.ones(len(ranked.genes), bool), -ranked.places


def _coarsen(ranked, scope, strength, first, second):
    level = np.floor(ranked.places * strength / np.maximum(scope, 1)[ranked.rows])
    return np.ones(len(ranked.genes), bool), level + first


def _order(
    name: str, title: str, summary: str, rule: Rule, within: bool, strength: Strength | None,
    seeded: bool = True, reference: str = "",
) -> AblationInfo:  # fmt: skip
    where = "within the window" if within else "before truncation"
    return AblationInfo(
        name, "order", f"{title}, {where}", summary, ("text",), strength, seeded,
        perturb=_perturb(rule, within), reference=reference,
    )  # fmt: skip


SHARE = shares("share of the genes shuffled", 0.25, 0.5, 0.75, 1.0, default=1.0)
TOP = shares("share of the window, from its top", 0.05, 0.1, 0.2, 0.5, default=0.1)
LEVELS = numbers("levels", 16, 8, 4, 2, default=4)

ORDER = [
    _order("shuffle-before", "Genes shuffled", "all expressed genes in random order", _shuffle,
           False, SHARE, reference=PAPER),
    _order("shuffle-within", "Genes shuffled", "the genes that are read, in random order",
           _shuffle, True, SHARE),
    _order("shuffle-top", "Top genes shuffled", "the highest expressed genes in random order",
           _shuffle_top, True, TOP, reference=PAPER),
    _order("shuffle-rest", "All but the top genes shuffled",
           "the highest expressed genes stay, the rest is in random order", _shuffle_rest, True,
           TOP, reference=PAPER),
    _order("reverse-before", "Order reversed", "the lowest expressed gene first", _reverse, False,
           None, seeded=False),
    _order("reverse-within", "Order reversed", "the lowest of the genes that are read first",
           _reverse, True, None, seeded=False),
    _order("coarsen-before", "Ranks coarsened",
           "ranks cut into a few equal levels, random order inside each", _coarsen, False, LEVELS),
    _order("coarsen-within", "Ranks coarsened",
           "ranks cut into a few equal levels, random order inside each", _coarsen, True, LEVELS),
]  # fmt: skip
