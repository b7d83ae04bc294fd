"""Shapley values by sampled orders of the genes, each order with its reverse.

Our own and not captum's, so that one pass over the perturbed cells serves every way; captum's
exact values are the oracle in tests.
"""

from __future__ import annotations

import numpy as np

from scmpt_core.attribution.base import CellScores, MethodInfo, Options
from scmpt_core.attribution.subject import BATCH, Subject
from scmpt_core.progress import part
from scmpt_core.seeds import cell_seeds


def explain(subject: Subject, target: int, options: Options, seed: int) -> dict[str, CellScores]:
    """Mean gain of each gene when it comes in, over orders; sums to whole less empty cell."""
    rng = np.random.default_rng([seed, int(cell_seeds(subject.cell)[0])])
    genes, names = len(subject.columns), [way.name for way in subject.ways]
    drawn = orders(genes, options.permutations, rng)
    gains: list[np.ndarray] = []  # (genes, ways) of each order
    together = max(BATCH // (genes + 1), 1)  # orders whose cells are judged in one go
    for start in range(0, len(drawn), together):
        some = drawn[start : start + together]
        share = part(subject.progress, start / len(drawn), (start + len(some)) / len(drawn))
        logits = subject.logits(np.concatenate([prefixes(order) for order in some]), share)
        values = np.stack([logits[name][:, target] for name in names], axis=1)
        for order, each in zip(some, np.split(values, len(some)), strict=True):
            gain = np.empty((genes, len(names)))
            gain[order] = np.diff(each, axis=0)
            gains.append(gain)
    pairs = (np.stack(gains[::2]) + np.stack(gains[1::2])) / 2  # (orders / 2, genes, ways)
    error = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))  # an order and its reverse go together
    return {
        name: CellScores(
            pairs[:, :, i].mean(axis=0),
            {
                "standard_error": float(error[:, i].mean()),
                "evaluations": float(len(gains) * (genes + 1)),
            },
        )
        for i, name in enumerate(names)
    }


def orders(genes: int, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """``n`` orders of the genes, an even number: every second is the reverse of the one before."""
    drawn = [rng.permutation(genes) for _ in range(n // 2)]
    return [order for one in drawn for order in (one, one[::-1])]


def prefixes(order: np.ndarray) -> np.ndarray:
    """The genes that are there as they come in one after the other, (genes + 1, genes) bool."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[None, :] < np.arange(len(order) + 1)[:, None]


SHAP = MethodInfo(
    "shap", "SHAP",
    "what each gene adds when it comes in, over many orders of the genes; sums to the whole "
    "difference of the logit",
    "Lundberg & Lee 2017, arXiv 1705.07874; Štrumbelj & Kononenko 2014, "
    "doi:10.1007/s10115-013-0679-x", True, True, explain,
)  # fmt: skip
