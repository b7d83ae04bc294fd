"""How long work will take here: rates of earlier jobs on this machine, or of a reference machine.

A reference rate was measured on 2 CPU cores (AMD EPYC with AVX512-BF16, bfloat16); the page says
which of the two it used. Rates of the last job replace earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scmpt_core.encoders import get_spec
from scmpt_core.evaluation import Plan, Run
from scmpt_core.library import known_rates
from scmpt_core.sentences import get_format

REFERENCE = {  # cells per second
    "embed:minilm": 35.0,
    "embed:scgpt-mini": 300.0,
    "embed:pca": 5000.0,
    "fit:linear": 400.0,  # per model and split, the whole search
    "fit:stacking": 200.0,
    "fit:average": 200.0,
    "fit:neural:quick": 120.0,
    "fit:neural:paper": 30.0,
    "fit:neural:thorough": 8.0,
    "fit:mixture:quick": 60.0,
    "fit:mixture:paper": 20.0,
    "fit:mixture:thorough": 6.0,
    "fit:baseline": 500.0,
    "umap": 400.0,
}
CONVEX = ("linear", "stacking", "average")  # heads whose search does not grow with the budget
START = 8.0  # seconds to load encoders and compile, whatever the number of cells


@dataclass(frozen=True)
class Estimate:
    """Seconds expected; ``unknown`` names encoders that were never timed, which are left out.

    Parameters
    ----------
    measured
        Every rate was measured on this machine.
    """

    embedding: float
    training: float
    maps: float
    measured: bool
    unknown: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """In all."""
        return START + self.embedding + self.training + self.maps

    @property
    def map_share(self) -> float:
        """Share of the whole that maps take."""
        return self.maps / self.seconds

    @property
    def embedding_share(self) -> float:
        """Share of embedding in what is not maps."""
        return (START + self.embedding) / (self.seconds - self.maps)


def fit_rate(head: str | None, budget: str) -> str:
    """Name under which the rate of fitting a head, or a baseline, is kept."""
    if head is None:
        return "fit:baseline"
    if head in CONVEX:
        return f"fit:{head}"
    return f"fit:{'mixture' if head == 'mixture' else 'neural'}:{budget}"


def fit_rates(runs: Sequence[Run], budget: str, cells: int) -> dict[str, float]:
    """Cells a second of each kind of fit, over finished runs."""
    seconds: dict[str, list[float]] = {}
    for run in runs:
        seconds.setdefault(fit_rate(run.head, budget), []).append(run.seconds)
    return {name: cells * len(all) / max(sum(all), 1e-3) for name, all in seconds.items()}


def estimate_compare(home: Path, device: str, cells: int, plan: Plan, folds: int) -> Estimate:
    """Expected time of a comparison whose cells are not embedded yet.

    Parameters
    ----------
    folds
        Splits a seed.
    """
    measured, unknown, embedding = known_rates(home, device), [], 0.0
    splits = plan.seeds * folds
    fits = [fit_rate(m.head, plan.budget.name) for m in plan.models]
    fits += [fit_rate(None, plan.budget.name)] * len(plan.baselines)
    needed = [f"embed:{n}" for n in plan.encoders if n != "pca"] + [*fits, "umap"]
    rates = REFERENCE | measured
    for name in plan.encoders:
        rate = rates.get(f"embed:{name}")
        if rate is None:
            unknown.append(name)
        else:
            embedding += cells / rate * (splits if _fitted(name, plan) else 1)
    training = splits * sum(cells / rates[name] for name in fits)
    maps = len(plan.encoders) * (cells / rates["umap"] + 2)
    return Estimate(embedding, training, maps, all(n in measured for n in needed), tuple(unknown))


def _fitted(name: str, plan: Plan) -> bool:
    """Whether the encoder is fitted, and so embeds the cells anew, for each split."""
    info = get_spec(name).info
    return info.fitted or (info.modality == "text" and get_format(plan.options.sentence).fitted)


def estimate_map(home: Path, device: str, cells: int) -> Estimate:
    """Expected time of a map of principal components."""
    measured = known_rates(home, device)
    rates = REFERENCE | measured
    return Estimate(cells / rates["embed:pca"], 0.0, cells / rates["umap"], "umap" in measured)


def estimate_classify(home: Path, device: str, cells: int, encoders: Sequence[str]) -> Estimate:
    """Expected time of labelling cells that are not embedded yet."""
    measured = known_rates(home, device)
    rates = REFERENCE | measured
    unknown = tuple(n for n in encoders if f"embed:{n}" not in rates)
    embedding = sum(cells / rates[f"embed:{n}"] for n in encoders if n not in unknown)
    seen = all(f"embed:{n}" in measured for n in encoders if n != "pca")
    return Estimate(embedding, 0.0, cells / rates["umap"], seen, unknown)
