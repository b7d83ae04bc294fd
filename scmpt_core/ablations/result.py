"""What every ablation did to every cell, and back from disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from scmpt_core.ablations.base import Regime
from scmpt_core.errors import check_format, readable

FORMAT = 1


@dataclass(frozen=True, order=True)
class Setting:
    """One perturbation.

    Parameters
    ----------
    ablation
        Name in ``ABLATIONS``.
    target
        The encoder whose embedding is changed, for the family "encoders"; else ``""``.
    strength
        ``None`` where the ablation has none.
    """

    regime: Regime
    ablation: str
    target: str = ""
    strength: float | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Answers:
    """What one way of the model said of the tested cells.

    Parameters
    ----------
    predicted
        Class codes, (…, cells) int16; the number of classes stands for a cell without any gene
        left, which has no label.
    probability
        Of the class that the same model gives the cell unperturbed, (…, cells) float32;
        calibrated for the whole model, as the head gives it for one encoder's part.
    """

    predicted: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True, eq=False)
class Ablated:
    """Answers with and without each perturbation, on the same cells.

    Parameters
    ----------
    ids, codes
        Of the tested cells, (cells,): their true class codes, or, where ``known`` is false, what
        the model says of them.
    groups
        The group (donor) of each, where the model was trained with groups.
    before
        (regime, way) → answers on unperturbed cells, (cells,).
    after
        (regime, way) → answers, (settings of that regime, cells), in the order of
        :meth:`settings_of`.
    encoded
        Encoder → cells that had to be encoded anew.
    skipped
        Ablation → why it was not made.
    settings
        What was asked for, as a JSON object.
    """

    model: str
    dataset: str
    classes: tuple[str, ...]
    ids: np.ndarray
    codes: np.ndarray
    known: bool
    group: str | None
    groups: np.ndarray | None
    rows: tuple[Setting, ...]
    before: dict[tuple[Regime, str], Answers]
    after: dict[tuple[Regime, str], Answers]
    encoded: dict[str, int]
    skipped: dict[str, str] = field(default_factory=dict)
    settings: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.codes) > 0:
            raise ValueError(f"{len(self.ids)} ids, {len(self.codes)} codes")
        for (regime, way), answers in self.after.items():
            expected = (len(self.settings_of(regime)), len(self.ids))
            if answers.predicted.shape != expected or answers.probability.shape != expected:
                raise ValueError(f"{regime}, {way}: {answers.predicted.shape}, not {expected}")

    @property
    def regimes(self) -> list[Regime]:
        """Those that were run."""
        return list(dict.fromkeys(regime for regime, _ in self.before))

    @property
    def ways(self) -> list[str]:
        """The whole model first, then its parts."""
        return list(dict.fromkeys(way for _, way in self.before))

    def settings_of(self, regime: Regime) -> list[Setting]:
        """The perturbations under one regime, in the order of its arrays."""
        return [row for row in self.rows if row.regime == regime]


def save_ablated(result: Ablated, folder: Path) -> None:
    """Write into an existing folder: ``ablations.json`` and ``ablations.npz``."""
    arrays = {"ids": result.ids, "codes": result.codes}
    if result.groups is not None:
        arrays["groups"] = result.groups
    keys = list(result.before)
    for i, key in enumerate(keys):
        for name, answers in (("before", result.before[key]), ("after", result.after[key])):
            arrays[f"{name}:predicted:{i}"] = answers.predicted
            arrays[f"{name}:probability:{i}"] = answers.probability
    about = {
        "format": FORMAT, "model": result.model, "dataset": result.dataset,
        "classes": list(result.classes), "known": result.known, "group": result.group,
        "rows": [asdict(row) for row in result.rows], "keys": [list(key) for key in keys],
        "encoded": result.encoded, "skipped": result.skipped, "settings": result.settings,
    }  # fmt: skip
    np.savez_compressed(folder / "ablations.npz", **arrays)
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    (folder / "ablations.json").write_text(text, encoding="utf-8")


def load_ablated(folder: Path) -> Ablated:
    """Read what :func:`save_ablated` wrote.

    Raises
    ------
    ModelError
        A file is missing or damaged, or of another format.
    """
    with readable("The result of the ablations"):
        about = json.loads((folder / "ablations.json").read_text(encoding="utf-8"))
        check_format("The result of the ablations", about["format"], FORMAT)
        with np.load(folder / "ablations.npz", allow_pickle=False) as arrays:
            return _restored(about, arrays)


def _restored(about: dict, arrays: dict) -> Ablated:
    keys = [tuple(key) for key in about["keys"]]

    def answers(name: str) -> dict[tuple[Regime, str], Answers]:
        return {
            key: Answers(arrays[f"{name}:predicted:{i}"], arrays[f"{name}:probability:{i}"])
            for i, key in enumerate(keys)
        }

    return Ablated(
        about["model"], about["dataset"], tuple(about["classes"]), arrays["ids"], arrays["codes"],
        about["known"], about["group"], arrays.get("groups"),
        tuple(Setting(**row) for row in about["rows"]), answers("before"), answers("after"),
        about["encoded"], about["skipped"], about["settings"],
    )  # fmt: skip
