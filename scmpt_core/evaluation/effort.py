"""How much to compare: presets that a person chooses from, and each part overruled at will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scmpt_core.encoders import DEFAULT_OPTIONS, EncoderOptions
from scmpt_core.errors import SettingError
from scmpt_core.evaluation.baselines import get_baseline
from scmpt_core.fusion.fits import Budget
from scmpt_core.fusion.plan import PAPER, RECOMMENDED, ModelSpec, planned
from scmpt_core.fusion.search import PAPER as PAPER_GRID
from scmpt_core.fusion.search import QUICK as QUICK_GRID
from scmpt_core.fusion.search import THOROUGH as THOROUGH_GRID
from scmpt_core.registry import find

MAX_SEEDS = 20
EVERY = (RECOMMENDED, "mixture", PAPER, "gated", "attention", "average")


@dataclass(frozen=True)
class Effort:
    """One preset."""

    name: str
    summary: str
    seeds: int  # repeats with new splits
    budget: Budget
    heads: tuple[str, ...]
    baselines: tuple[str, ...]


EFFORTS = [
    Effort(
        "quick", "one split, a small grid, the recommended and the paper's fusion: a first look",
        1, QUICK_GRID, (RECOMMENDED, PAPER), ("majority", "knn", "logistic"),
    ),
    Effort(
        "paper", "three splits, the paper's grid, every fusion and baseline: to publish",
        3, PAPER_GRID, EVERY,
        ("majority", "knn", "logistic", "celltypist"),
    ),
    Effort(
        "thorough", "ten splits and a wider grid: when small differences matter",
        10, THOROUGH_GRID, (*EVERY, "linear"),
        ("majority", "knn", "logistic", "celltypist"),
    ),
]  # fmt: skip


def get_effort(name: str) -> Effort:
    """The preset called ``name``.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(EFFORTS, name, "effort")


@dataclass(frozen=True)
class Plan:
    """All that a comparison will do.

    Raises
    ------
    SettingError
        A name is unknown or stands twice, or the number of repeats is out of range.
    """

    encoders: tuple[str, ...]
    heads: tuple[str, ...]
    baselines: tuple[str, ...]
    budget: Budget
    seeds: int = 1
    options: EncoderOptions = DEFAULT_OPTIONS

    def __post_init__(self) -> None:
        planned(self.encoders, self.heads)
        for name in self.baselines:
            get_baseline(name)
        if len(set(self.baselines)) < len(self.baselines):
            raise SettingError(f"Baselines: {', '.join(self.baselines)}.", "Name each once.")
        if not 1 <= self.seeds <= MAX_SEEDS:
            raise SettingError(f"The number of repeats is {self.seeds}.", f"Give 1 to {MAX_SEEDS}.")

    @classmethod
    def of(
        cls,
        encoders: Sequence[str],
        effort: str = "quick",
        heads: Sequence[str] | None = None,
        baselines: Sequence[str] | None = None,
        seeds: int | None = None,
        options: EncoderOptions = DEFAULT_OPTIONS,
    ) -> Plan:
        """The preset, with what is given put in its place.

        The recommended head is always there, so that every comparison names a model to take.
        """
        preset = get_effort(effort)
        chosen = preset.heads if heads is None else (RECOMMENDED, *heads)
        return cls(
            tuple(encoders),
            tuple(dict.fromkeys(chosen)),
            preset.baselines if baselines is None else tuple(baselines),
            preset.budget,
            preset.seeds if seeds is None else seeds,
            options,
        )

    @property
    def models(self) -> list[ModelSpec]:
        """The rows that read embeddings."""
        return planned(self.encoders, self.heads)
