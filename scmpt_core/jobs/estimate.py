"""How long work will take here: rates of earlier jobs on this machine, or of a reference machine.

A reference rate was measured on 2 CPU cores (AMD EPYC with AVX512-BF16, bfloat16); the page says
which of the two it used. Rates of the last job replace earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scmpt_core.evaluation import planned_models
from scmpt_core.library import known_rates

REFERENCE = {  # cells per second
    "embed:minilm": 35.0,
    "embed:scgpt-mini": 300.0,
    "embed:pca": 5000.0,
    "head": 120.0,  # per model and split: the whole grid
    "umap": 400.0,
}
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


def estimate_compare(
    home: Path, device: str, cells: int, names: Sequence[str], seeds: int, folds: int
) -> Estimate:
    """Expected time of a comparison whose cells are not embedded yet.

    Parameters
    ----------
    folds
        Splits a seed.
    """
    measured, unknown, embedding = known_rates(home, device), [], 0.0
    models = planned_models(names)
    encoders = [m[0] for m in models if len(m) == 1]
    needed = [f"embed:{n}" for n in encoders if n != "pca"] + ["head", "umap"]
    rates = REFERENCE | measured
    for name in encoders:
        rate = rates.get(f"embed:{name}")
        if rate is None:
            unknown.append(name)
        else:
            embedding += cells / rate * (seeds * folds if name == "pca" else 1)
    training = len(models) * seeds * folds * cells / rates["head"]
    maps = len(encoders) * (cells / rates["umap"] + 2)
    return Estimate(embedding, training, maps, all(n in measured for n in needed), tuple(unknown))


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
