"""What an ablation is: a small record beside the function that perturbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from scmpt_core.errors import SettingError

if TYPE_CHECKING:
    from scmpt_core.cells import Cells
    from scmpt_core.encoders.base import Modality

Family = Literal["order", "identity", "content", "window", "values", "encoders"]
FAMILIES: tuple[Family, ...] = get_args(Family)
Regime = Literal["fixed", "refit"]
REGIMES: dict[Regime, str] = {
    "fixed": "the model as trained, on perturbed test cells",
    "refit": "its head fitted anew on perturbed training cells, tested on perturbed test cells",
}
Need = Literal["counts", "markers", "gene set"]
EVERY: tuple[Modality, ...] = ("text", "genes", "expression")


@dataclass(frozen=True)
class Strength:
    """What of an ablation can be more or less.

    Parameters
    ----------
    what
        In words, such as "share of the genes shuffled".
    values
        The points of its curve, weakest first.
    default
        Where it stands unless told otherwise; one of ``values``.
    low, high
        What is accepted, both included.
    share
        Whether it is a share, 0…1, and shown in percent; else a whole number of genes or levels.
    """

    what: str
    values: tuple[float, ...]
    default: float
    low: float
    high: float
    share: bool = True

    def __post_init__(self) -> None:
        if self.default not in self.values:
            raise ValueError(f"default {self.default} is not among {self.values}")

    def check(self, value: float) -> None:
        """Refuse what cannot be done.

        Raises
        ------
        SettingError
            ``value`` is out of range, or not whole where it has to be.
        """
        whole = self.share or float(value).is_integer()
        if not (self.low <= value <= self.high and whole):
            kind = "" if self.share else "whole "
            raise SettingError(
                f"{self.what} is {value:g}.",
                f"Give a {kind}number from {self.low:g} to {self.high:g}.",
            )

    def show(self, value: float) -> str:
        """As a person writes it."""
        return f"{100 * value:g} %" if self.share else f"{value:,g}"


@dataclass(frozen=True, eq=False)
class Context:
    """What a perturbation may look at besides the cells; one for each encoder.

    Parameters
    ----------
    modality
        Of the encoder that will read the result.
    window
        Genes of each cell that the text encoder reads, the last perhaps in part, (cells,);
        ``None`` for encoders that read no sentence.
    codes
        Class of each cell, (cells,); −1 where there is none.
    means
        Mean log expression of each gene over the model's training cells, or over all cells of
        another file, (genes,).
    known
        Whether every encoder has a weight for the gene, (genes,) bool.
    markers
        Markers of each class; empty where a class has no entry.
    gene_set
        A user's genes.
    """

    modality: Modality
    window: np.ndarray | None
    codes: np.ndarray
    means: np.ndarray
    known: np.ndarray
    markers: tuple[frozenset[str], ...] = ()
    gene_set: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AblationInfo:
    """The metadata record of an ablation.

    Parameters
    ----------
    acts_on
        Modalities whose input it changes; the embeddings of other encoders stay as they are.
    seeded
        Whether it draws, so that several seeds differ.
    perturb
        ``(cells, context, strength, seed) → cells``; what the encoders then read. A cell's draws
        come from its own content, so they do not depend on its neighbours.
    mix
        Of the family "encoders", in its place: ``(vectors, mean, strength, seed) → vectors``, on
        the embeddings of one encoder at a time, (cells, dimension), ``mean`` that of the training
        cells.
    needs
        What it cannot be made without.
    """

    name: str
    family: Family
    title: str
    summary: str
    acts_on: tuple[Modality, ...]
    strength: Strength | None = None
    seeded: bool = False
    needs: tuple[Need, ...] = ()
    perturb: Callable[[Cells, Context, float, int], Cells] | None = None
    mix: Callable[[np.ndarray, np.ndarray, float, int], np.ndarray] | None = None
    reference: str = ""

    def __post_init__(self) -> None:
        if (self.perturb is None) == (self.mix is None):
            raise ValueError(f"{self.name} needs either perturb or mix")

    def to_json(self) -> dict:
        """As a JSON object."""
        plain = ("name", "family", "title", "summary", "seeded", "reference")
        at = None if self.strength is None else asdict(self.strength)
        lists = {"acts_on": list(self.acts_on), "needs": list(self.needs), "strength": at}
        return {name: getattr(self, name) for name in plain} | lists

    def strengths(self, given: tuple[float, ...] | None, curve: bool) -> tuple[float | None, ...]:
        """What to run: what was given, the whole curve, or the default; ``(None,)`` without any.

        Raises
        ------
        SettingError
            A strength is out of range, or was given to an ablation that has none.
        """
        if self.strength is None:
            if given:
                raise SettingError(
                    f"{self.name} has no strength; {', '.join(f'{v:g}' for v in given)} was given.",
                    "Leave the strength out, or name another ablation.",
                )
            return (None,)
        for value in given or ():
            self.strength.check(value)
        if given:
            return tuple(sorted(set(given)))
        return self.strength.values if curve else (self.strength.default,)


def shares(what: str, *values: float, default: float, low: float = 0.0) -> Strength:
    """A strength that is a share."""
    return Strength(what, values, default, low, 1.0)


def numbers(what: str, *values: int, default: int, high: int = 100_000) -> Strength:
    """A strength that is a whole number."""
    return Strength(what, values, default, 1, high, share=False)
