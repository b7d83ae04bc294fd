"""An attribution in short: top genes, quality and agreement, as JSON."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from scmpt_core.attribution.agreement import jaccard, rank_biased_overlap
from scmpt_core.attribution.result import Attribution
from scmpt_core.markers.order import top_positive


def top_genes(result: Attribution, n: int) -> list[dict]:
    """The ``n`` genes with the highest mean score of each type, method and way.

    Over all cells of the type, and over those that the way labelled rightly.
    """
    out = []
    for name in result.type_names:
        for method in result.methods:
            for way in result.ways:
                for correct_only in (False, True):
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


def method_agreement(result: Attribution, k: int) -> list[dict]:
    """Between methods, and between a method's seeds: mean over the types of each way.

    ``jaccard`` of the top ``k`` and ``rbo``; types where either has no positive score are left
    out, and ``types`` says how many are in the mean.
    """
    out = []
    for way in result.ways:
        sources = [s for s in result.scores if s.way == way]
        for a, b in combinations(sources, 2):
            pairs = []
            for name in result.type_names:
                first, second = result.of_type(a, name), result.of_type(b, name)
                pairs.append(
                    (jaccard(first.mean, second.mean, k),
                     rank_biased_overlap(first.mean, second.mean))
                )  # fmt: skip
            values = np.array(pairs)
            values = values[np.isfinite(values).all(axis=1)]
            means = values.mean(axis=0).tolist() if len(values) else [None, None]
            out.append({
                "way": way, "a": a.method, "a_seed": a.seed, "b": b.method, "b_seed": b.seed,
                "jaccard": means[0], "rbo": means[1], "types": len(values),
            })  # fmt: skip
    return out
