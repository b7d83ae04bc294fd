"""Words for scores, methods and ways; the top genes."""

from __future__ import annotations

import numpy as np

from scmpt_core.attribution import METHODS, Attribution, TypeScores
from scmpt_core.markers.order import top_positive

TITLES = {info.name: info.title for info in METHODS}
UNIT = "score (logit of the type)"


def top_of(scores: TypeScores, k: int) -> np.ndarray:
    """Positions of the ``k`` genes with the highest positive scores."""
    return top_positive(scores.mean, scores.seen, k)


def way_title(result: Attribution, way: str) -> str:
    """The whole model is told from its parts."""
    if len(result.ways) == 1:
        return way
    return f"{way} (the whole model)" if way == result.ways[0] else f"{way} alone"


def method_title(name: str) -> str:
    """As people call it; yardsticks, which are no methods, bear their names."""
    return TITLES.get(name, name)


def quality_words(result: Attribution, method: str, way: str, rows: np.ndarray) -> str:
    """How good the scores of these cells are, in words; empty where a method says nothing."""
    found: dict[str, list[np.ndarray]] = {}
    for source in result.sources(method, way):
        for name, values in result.quality[source].items():
            found.setdefault(name, []).append(values[rows])
    parts = []
    for name, values in found.items():
        each = np.concatenate(values)
        if name == "delta":
            each = np.abs(each)
            parts.append(
                f"the scores miss {np.median(each):.2%} of the difference that they should add up "
                f"to (median; at most {each.max():.2%})"
            )
        elif name == "r2":
            parts.append(f"R² of the fit {np.median(each):.3f} (median; lowest {each.min():.3f})")
        else:
            parts.append(f"{name.replace('_', ' ')} {np.median(each):,.4g} (median)")
    return "; ".join(parts)
