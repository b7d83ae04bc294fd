"""An attribution in short: top genes, quality and agreement, as JSON."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from scmpt_core.attribution.agreement import jaccard, rank_biased_overlap
from scmpt_core.attribution.quality import doubts
from scmpt_core.attribution.result import Attribution, Source
from scmpt_core.markers.order import top_positive


def top_genes(result: Attribution, n: int) -> list[dict]:
    """The ``n`` genes with the highest mean score of each type, method and way.

    Over all cells of the type and, where it is known, over those that the way labelled rightly.
    """
    out = []
    for name in result.type_names:
        for method in result.methods:
            for way in result.ways:
                for correct_only in (False, True) if result.known else (False,):
                    scores = result.over_seeds(method, way, name, correct_only)
                    if scores is None:
                        continue
                    order = top_positive(scores.mean, scores.seen, n)
                    genes = [
                        {"gene": str(result.genes[g]), "score": float(scores.mean[g]),
                         "spread": float(scores.spread[g])}
                        for g in order
                    ]  # fmt: skip
                    out.append({"type": name, "method": method, "way": way, "n": scores.n,
                                "correct_only": correct_only, "genes": genes})  # fmt: skip
    return out


def mean_quality(result: Attribution) -> list[dict]:
    """Mean and worst of each figure of quality, over the cells."""
    return [
        {
            "method": source.method, "way": source.way, "seed": source.seed, "figure": name,
            "mean": float(np.mean(values)), "highest": float(np.max(values)),
            "lowest": float(np.min(values)),
        }
        for source, figures in result.quality.items()
        for name, values in figures.items()
    ]  # fmt: skip


def all_doubts(result: Attribution) -> list[dict]:
    """Why scores should not be believed: of each type, method and way, over all its cells."""
    return [
        {"type": name, "method": method, "way": way, "text": text}
        for name in result.type_names
        for method in result.methods
        for way in result.ways
        for text in doubts(result, method, way, name, False)
    ]


def method_agreement(result: Attribution, k: int) -> list[dict]:
    """Between methods, and between a method's seeds: of each way and type, and over its types.

    ``jaccard`` of the top ``k`` and ``rbo``. The mean has the type ``None``; types where either has
    no positive score are ``None`` and not in it, and ``types`` says how many are.
    """
    out = []
    for way in result.ways:
        sources = [s for s in result.scores if s.way == way]
        for a, b in combinations(sources, 2):
            pair = {"way": way, "a": a.method, "a_seed": a.seed, "b": b.method, "b_seed": b.seed}
            each = np.array([_alike(result, a, b, name, k) for name in result.type_names])
            finite = np.isfinite(each).all(axis=1)
            means = each[finite].mean(axis=0) if finite.any() else np.full(2, np.nan)
            out.append({**pair, "type": None, **_told(means), "types": int(finite.sum())})
            for name, values in zip(result.type_names, each, strict=True):
                out.append({**pair, "type": name, **_told(values), "types": 1})
    return out


def _alike(result: Attribution, a: Source, b: Source, name: str, k: int) -> tuple[float, float]:
    first, second = result.of_type(a, name).mean, result.of_type(b, name).mean
    return jaccard(first, second, k), rank_biased_overlap(first, second)


def _told(values: np.ndarray) -> dict[str, float | None]:
    found = [float(v) if np.isfinite(values).all() else None for v in values]
    return {"jaccard": found[0], "rbo": found[1]}
