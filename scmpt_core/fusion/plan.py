"""Which models a comparison holds: encoders and the head above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scmpt_core.errors import SettingError
from scmpt_core.fusion.heads import get_head

RECOMMENDED = "stacking"  # chosen in benchmarks/README.md, leaving one set out at a time
PAPER = "concat"  # arXiv 2507.10039
_OF_ONE = {PAPER: "mlp"}  # with one encoder there is nothing to concatenate


@dataclass(frozen=True)
class ModelSpec:
    """Encoders and a head.

    Raises
    ------
    SettingError
        There is no such head, it needs more encoders, or one is named twice.
    """

    encoders: tuple[str, ...]
    head: str

    def __post_init__(self) -> None:
        if not self.encoders or len(set(self.encoders)) < len(self.encoders):
            raise SettingError(
                f"Encoders named: {list(self.encoders)}.", "Name at least one, and each once."
            )
        if get_head(self.head).fuses and len(self.encoders) < 2:
            raise SettingError(
                f"The head {self.head} fuses two encoders or more; one is named.",
                "Name another encoder, or the head linear or concat.",
            )

    @property
    def fused(self) -> bool:
        """Whether it reads more than one encoder."""
        return len(self.encoders) > 1

    @property
    def name(self) -> str:
        """``<encoder>+<head>`` (the paper's head is then an ``mlp``), or ``scmpt`` for the
        recommended fusion and ``scmpt-<head>`` for the others.
        """
        if not self.fused:
            return f"{self.encoders[0]}+{_OF_ONE.get(self.head, self.head)}"
        return "scmpt" if self.head == RECOMMENDED else f"scmpt-{self.head}"


def recommended(encoders: Sequence[str]) -> ModelSpec:
    """The model to take over these encoders unless something else is asked for."""
    names = tuple(encoders)
    return ModelSpec(names, RECOMMENDED if len(names) > 1 else "linear")


def planned(names: Sequence[str], heads: Sequence[str]) -> list[ModelSpec]:
    """The rows of a comparison: every encoder alone, then their fusion by each of ``heads``.

    An encoder alone has the paper's dense network and a linear head, so that every fusion stands
    beside halves with a head like its own (:attr:`HeadInfo.half`).

    Raises
    ------
    SettingError
        None or one twice is named, or there is no such head.
    """
    names = tuple(names)
    ModelSpec(names, "linear")  # checks the names
    rows = [ModelSpec((n,), head) for n in names for head in (PAPER, "linear")]
    if len(names) > 1:
        rows += [ModelSpec(names, head) for head in dict.fromkeys(heads)]
    return rows
