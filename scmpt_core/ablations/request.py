"""What to ablate, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from scmpt_core.ablations.base import REGIMES, AblationInfo, Regime
from scmpt_core.ablations.registry import ABLATIONS, get_ablation
from scmpt_core.ablations.result import Setting
from scmpt_core.errors import SettingError

SYMBOL = re.compile(r"[\w.\-@/]+")
MOST_NAME = 1_000  # longer texts are no file's name


def read_gene_set(text: str | None) -> frozenset[str]:
    """Symbols out of a text, divided by anything that stands in no symbol, or out of such a file.

    Raises
    ------
    SettingError
        There is none.
    """
    if text is None:
        return frozenset()
    file = Path(text).expanduser()
    if len(text) < MOST_NAME and file.is_file():
        text = file.read_text(encoding="utf-8")
    found = frozenset(SYMBOL.findall(text))
    if not found:
        raise SettingError(
            f"The gene set {text!r} names no gene.", "Give symbols such as CD3D,LYZ."
        )
    return found


@dataclass(frozen=True)
class Request:
    """What to ablate, and how.

    Parameters
    ----------
    ablations
        Names in ``ABLATIONS``; ``None``: all for which there is what they need.
    strengths
        For each of ``ablations``; ``None``: its default.
    curve
        Every point of each ablation's curve, where no strengths are given.
    seeds
        Of ablations that draw; the others run once.
    cells
        Test cells at most, drawn by their ids; ``None``: all.
    gene_set
        A user's genes.
    ways
        Names of the parts of the model to report on; ``None``: all.
    """

    ablations: tuple[str, ...] | None = None
    regimes: tuple[Regime, ...] = ("fixed",)
    strengths: tuple[float, ...] | None = None
    curve: bool = False
    seeds: int = 1
    cells: int | None = None
    gene_set: frozenset[str] = field(default_factory=frozenset)
    ways: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in self.ablations or ():
            get_ablation(name).strengths(self.strengths, self.curve)
        if self.ablations is not None and len(set(self.ablations)) != len(self.ablations):
            raise SettingError(f"Ablations named: {list(self.ablations)}.", "Name each once.")
        if self.strengths and self.ablations is None:
            raise SettingError("A strength was given, but no ablation.", "Name one.")
        unknown = [r for r in self.regimes if r not in REGIMES]
        if unknown or not self.regimes or len(set(self.regimes)) != len(self.regimes):
            raise SettingError(
                f"Regimes named: {list(self.regimes)}.", f"Name some of: {', '.join(REGIMES)}."
            )
        if not 1 <= self.seeds <= 20:
            raise SettingError(f"seeds is {self.seeds}.", "Give a number from 1 to 20.")
        if self.cells is not None and self.cells < 1:
            raise SettingError(f"cells is {self.cells}.", "Give at least 1.")

    @property
    def chosen(self) -> list[AblationInfo]:
        """The ablations asked for, in the order of the registry."""
        return [a for a in ABLATIONS if self.ablations is None or a.name in self.ablations]

    def settings(self, info: AblationInfo, encoders: tuple[str, ...]) -> list[Setting]:
        """All runs of one ablation on a model of ``encoders``; under every regime alike."""
        return [
            Setting(regime, info.name, target, strength, seed)
            for regime in self.regimes
            for target in (encoders if info.mix else ("",))
            for strength in info.strengths(self.strengths, self.curve)
            for seed in range(self.seeds if info.seeded else 1)
        ]
