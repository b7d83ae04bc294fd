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


def over_seeds_spread(
    result: Attribution, method: str, way: str, name: str, correct_only: bool
) -> np.ndarray | None:
    """Standard deviation over the seeds of a type's mean scores, (genes,); ``None`` for one seed.

    It says how much of a score is the method's own chance; the spread over cells does not.
    """
    found = [result.of_type(s, name, correct_only) for s in result.sources(method, way)]
    if len(found) < 2 or None in found:
        return None
    return np.std([scores.mean for scores in found], axis=0, ddof=1)


def way_title(result: Attribution, way: str) -> str:
    """The whole model is told from its parts."""
    if len(result.ways) == 1:
        return way
    return f"{way} (the whole model)" if way == result.ways[0] else f"{way} alone"


def method_title(name: str) -> str:
    """As people call it; yardsticks, which are no methods, bear their names."""
    return TITLES.get(name, name)
