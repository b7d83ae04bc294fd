"""What an attribution method is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from scmpt_core.errors import SettingError

if TYPE_CHECKING:
    from scmpt_core.attribution.subject import Subject

TEXT_BASELINES = ("pad", "mask")
SCGPT_PATHS = ("gene+value", "value")


@dataclass(frozen=True)
class Options:
    """What a user may choose of how the methods work.

    Parameters
    ----------
    samples
        Perturbed cells that LIME fits its model to.
    permutations
        Orders in which SHAP takes the genes away, an even number: each goes with its reverse.
    steps
        Points on the path of integrated gradients at first; doubled until ``tolerance`` is met.
    most_steps
        Where doubling ends; the convergence delta then says what is missing.
    tolerance
        Share of the difference that the scores may miss in sum.
    text_baseline
        What stands in place of a gene's word pieces at the start of the path: ``pad`` or ``mask``.
    scgpt
        ``gene+value``: each gene goes towards ``<pad>``; ``value``: its identity is fixed, its
        binned value goes to 0.

    Raises
    ------
    SettingError
        One of them cannot be used.
    """

    samples: int = 1_000
    permutations: int = 10
    steps: int = 16
    most_steps: int = 256
    tolerance: float = 0.01
    text_baseline: Literal["pad", "mask"] = "pad"
    scgpt: Literal["gene+value", "value"] = "gene+value"

    def __post_init__(self) -> None:
        limits = {"samples": (10, 100_000), "permutations": (4, 1_000), "steps": (2, 1_000),
                  "most_steps": (self.steps, 10_000)}  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingError(
                    f"{name} is {value}.", f"Give a number between {low:,} and {high:,}."
                )
        if self.permutations % 2:
            raise SettingError(
                f"permutations is {self.permutations}: each order goes with its reverse.",
                "Give an even number.",
            )
        if not 0 < self.tolerance < 1:
            raise SettingError(f"tolerance is {self.tolerance}.", "Give a share between 0 and 1.")
        for name, known in (("text_baseline", TEXT_BASELINES), ("scgpt", SCGPT_PATHS)):
            if getattr(self, name) not in known:
                raise SettingError(
                    f"{name} is {getattr(self, name)!r}.", f"Give one of {', '.join(known)}."
                )


@dataclass(frozen=True, eq=False)
class CellScores:
    """Scores of one cell's genes, (genes of the subject,), and figures that say how good."""

    scores: np.ndarray
    quality: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodInfo:
    """The metadata record of a method.

    Parameters
    ----------
    seeded
        It draws, so several seeds say how stable it is.
    exact
        Its scores are small differences of logits, so the encoders compute in float32 whatever
        the device is faster with: in bfloat16 much of a gene's score would be rounding.
    explain
        ``explain(subject, target, options, seed)`` → way → scores for the logit of class
        ``target``.
    """

    name: str
    title: str
    summary: str
    reference: str
    seeded: bool
    exact: bool
    explain: Callable[[Subject, int, Options, int], dict[str, CellScores]]
