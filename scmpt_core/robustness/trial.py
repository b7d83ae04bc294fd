"""What every trial needs: the usual rule, the shifts, and what is told of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from scmpt_core.ablations import get_ablation
from scmpt_core.ablations.base import AblationInfo, Context
from scmpt_core.ablations.context import known_to_all, mean_expression
from scmpt_core.cells import Cells
from scmpt_core.errors import ModelError
from scmpt_core.fusion import Prediction, Rule, ScMPT
from scmpt_core.robustness.card import Outcome

SHIFTS = ("depth", "panel", "dropout", "top-n", "no-housekeeping")
RULE = Rule()


def shifts(counts: bool) -> list[tuple[AblationInfo, float | None]]:
    """Each shift at each of its strengths; ``counts``: whether the cells hold them."""
    infos = [get_ablation(name) for name in SHIFTS]
    return [
        (info, strength)
        for info in infos if counts or "counts" not in info.needs
        for strength in info.strengths(None, True)
    ]  # fmt: skip


def shifted(
    cells: Cells,
    codes: np.ndarray,
    encoders: Iterable[str],
    info: AblationInfo,
    strength: float | None,
) -> Cells:
    """What the encoders read of ``cells``, of classes ``codes``, (cells,), after the shift.

    A smaller panel measures only what is left on it.
    """
    context = Context(
        "genes", None, codes, mean_expression(cells, np.arange(len(cells))),
        known_to_all(encoders, cells.genes),
    )  # fmt: skip
    there = info.perturb(cells, context, strength or 0.0, 0)
    if info.name != "panel":
        return there
    return there.restrict(set(there.genes[np.unique(there.expression.indices)]))


def unlimited(model: ScMPT) -> ScMPT:
    """The same model, which refuses no file for what it does not measure."""
    free = {"overlap_limit": dict.fromkeys(model.encoders, 0.0)}
    return replace(model, record=model.record | free)


def refusal(model: ScMPT, cells: Cells) -> str:
    """Why the model would refuse a file on the genes of ``cells``; ``""``: it would not."""
    try:
        model.check_panel(cells)
    except ModelError as error:
        return error.message
    return ""


def outcome(said: Sequence[Prediction], truth: Sequence[np.ndarray]) -> Outcome:
    """What became, by the usual rule, of the cells that one model or several were asked about.

    Parameters
    ----------
    truth
        Of each prediction, the true names, (cells,).
    """
    decisions = [each.decide(RULE) for each in said]
    likeliest = [np.array(each.classes)[each.proba.argmax(axis=1)] for each in said]
    labels, reasons = ([getattr(d, part) for d in decisions] for part in ("labels", "reasons"))
    return Outcome.of(*map(np.concatenate, (labels, reasons, likeliest, truth)))
