"""How good scores are, in a biologist's words, and when they should not be believed."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from scmpt_core.attribution.agreement import jaccard
from scmpt_core.attribution.base import Options
from scmpt_core.attribution.result import Attribution
from scmpt_core.wording import amount

TOLERANCE = Options().tolerance  # of results that did not keep theirs
TOP = 10  # genes in which seeds are compared
LEAST_R2, LEAST_HALVES, LEAST_SHARED = 0.2, 0.5, 0.3
FLAT, FLAT_SHARE = 0.05, 0.1  # of the logit's change: in itself, and against other types


def figures_of(
    result: Attribution, method: str, way: str, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Name of the figure → its values for these cells, over all seeds."""
    found: dict[str, list[np.ndarray]] = {}
    for source in result.sources(method, way):
        for name, values in result.quality[source].items():
            found.setdefault(name, []).append(values[rows])
    return {name: np.concatenate(values) for name, values in found.items()}


def quality_words(result: Attribution, method: str, way: str, rows: np.ndarray) -> str:
    """Sentences, each with its figure in brackets; empty where a method says nothing."""
    found = figures_of(result, method, way, rows)
    if "r2_left_out" in found:
        found.pop("r2", None)  # on the cells that it was fitted to it flatters
    return " ".join(_WORDS[name](values) for name, values in found.items() if name in _WORDS)


def _delta(values: np.ndarray) -> str:
    each = np.abs(values)
    share = _grade(-np.median(each), ((-0.01, "nearly all"), (-0.05, "most")), "only a part")
    return (
        f"The scores account for {share} of what the genes change together (missing: "
        f"{np.median(each):.2%} in the median, at most {each.max():.2%})."
    )


def _difference(values: np.ndarray) -> str:
    middle = float(np.median(values))
    return (
        f"All genes together {'raise' if middle >= 0 else 'lower'} the logit by "
        f"{abs(middle):.3g} against a cell without genes (median)."
    )


def _left_out(values: np.ndarray) -> str:
    middle = float(np.median(values))
    steps = ((0.5, "foresee well"), (LEAST_R2, "roughly foresee"), (1e-9, "hardly foresee"))
    how = _grade(middle, steps, "say nothing: they do not foresee")
    return (
        f"The scores {how} what the model says of cells that they were not fitted to (R² "
        f"{middle:.2f} in the median, lowest {values.min():.2f})."
    )


def _fitted(values: np.ndarray) -> str:
    return (
        f"R² is {np.median(values):.3f} on the perturbed cells that the scores were fitted to "
        "(median), which flatters: with as many genes as cells it nears 1 for chance alone."
    )


def _halves(values: np.ndarray) -> str:
    how = _grade(np.median(values), ((0.8, "much the same"), (LEAST_HALVES, "similar")),
                 "different")  # fmt: skip
    return (
        f"Two halves of the perturbed cells give {how} scores (correlation "
        f"{np.median(values):.2f} in the median, 1 is best)."
    )


def _error(values: np.ndarray) -> str:
    return (
        f"By chance of the orders drawn, a gene's score is off by about {np.median(values):.2g} "
        "(standard error, mean over genes)."
    )


_WORDS = {
    "delta": _delta,
    "difference": _difference,
    "r2_left_out": _left_out,
    "r2": _fitted,
    "halves": _halves,
    "standard_error": _error,
    "steps": lambda values: f"{np.median(values):.0f} steps (median).",
    "evaluations": lambda values: (
        f"The model read {np.median(values):,.0f} changed cells for each (median)."
    ),
}


def _grade(value: float, steps: tuple[tuple[float, str], ...], else_: str) -> str:
    return next((word for least, word in steps if value >= least), else_)


def doubts(result: Attribution, method: str, way: str, name: str, correct_only: bool) -> list[str]:
    """Why the scores of a type should not be believed, as sentences; empty where none is known."""
    rows = result.cells_of(name, way, correct_only)
    if not len(rows):
        return []
    found = figures_of(result, method, way, rows)
    out = [_flat(result, method, way, name, found["difference"])] if "difference" in found else []
    out += [_missing(result, found["delta"])] if "delta" in found else []
    reasons = _chance(result, method, way, name, correct_only, found)
    if reasons:
        out.append(
            f"These scores are mostly chance: {'; '.join(reasons)}. {_advice(result, method)}"
        )
    return [text for text in out if text]


def _flat(result: Attribution, method: str, way: str, name: str, mine: np.ndarray) -> str:
    """The logit hardly changes along the path of integrated gradients."""
    every = [
        abs(np.median(figures_of(result, method, way, result.cells_of(kind, way))["difference"]))
        for kind in result.type_names
    ]
    change, label = float(np.median(mine)), result.explained(name)
    if abs(change) >= max(FLAT, FLAT_SHARE * float(np.median(every))):
        return ""
    return (
        f"Against a cell without genes, all genes together change the logit of {label} by "
        f"{change:.2g} only: no gene carries this label. Look at the model's parts, or at another "
        "type."
    )


def _missing(result: Attribution, delta: np.ndarray) -> str:
    """Integrated gradients that went on missing more than was allowed."""
    allowed = result.settings.get("options", {}).get("tolerance", TOLERANCE)
    far = int((np.abs(delta) > allowed).sum())
    return (
        f"In {far:,} of {amount(len(delta), 'cell')} the scores miss more than {allowed:.0%} of "
        f"what they should add up to (at most {np.abs(delta).max():.1%})."
        if far
        else ""
    )


def _chance(
    result: Attribution, method: str, way: str, name: str, correct_only: bool,
    found: dict[str, np.ndarray],
) -> list[str]:  # fmt: skip
    reasons = []
    if "r2_left_out" in found and (r2 := float(np.median(found["r2_left_out"]))) < LEAST_R2:
        reasons.append(f"they hardly foresee the model's answers (R² {r2:.2f}, left out)")
    if "halves" in found and (r := float(np.median(found["halves"]))) < LEAST_HALVES:
        reasons.append(f"two halves of the perturbed cells disagree (correlation {r:.2f})")
    shared = seeds_share(result, method, way, name, correct_only)
    if shared is not None and shared < LEAST_SHARED:
        reasons.append(f"the seeds' top {TOP} share few genes (Jaccard {shared:.2f})")
    return reasons


def seeds_share(
    result: Attribution, method: str, way: str, name: str, correct_only: bool
) -> float | None:
    """Mean Jaccard of the top 10 of each two seeds; ``None`` for one seed, or without a top."""
    means = [
        scores.mean
        for source in result.sources(method, way)
        if (scores := result.of_type(source, name, correct_only)) is not None
    ]
    each = np.array([jaccard(a, b, TOP) for a, b in combinations(means, 2)])
    each = each[np.isfinite(each)]
    return float(each.mean()) if len(each) else None


def _advice(result: Attribution, method: str) -> str:
    options = result.settings.get("options", {})
    what, used = ("orders of the genes", options.get("permutations")) if method == "shap" else (
        "perturbed cells", options.get("samples")
    )  # fmt: skip
    return f"Raise the {what}" + (f" (there were {used:,})." if used else ".")
