"""Each encoder alone and all fused: on which test cells they agree, and who is right elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scmpt_core.evaluation.looks import cells_tested
from scmpt_core.evaluation.stored import StoredComparison
from scmpt_core.evaluation.tables import FUSION
from scmpt_core.intervals import Interval, wilson

AGREE, SEVERAL, DIFFER = "all agree", "more than one stands apart", "they disagree"
ALONE = "linear"  # the head that judges an encoder by itself


@dataclass(frozen=True)
class Case:
    """Cells on which the models stand to each other in one way.

    Parameters
    ----------
    share
        Of the cells looked at, 0…1.
    right
        Model → how many of the ``n`` it labels rightly.
    """

    name: str
    n: int
    share: float
    right: dict[str, int]

    def accuracy(self, model: str) -> Interval | None:
        """Wilson's interval of the share that ``model`` labels rightly; ``None`` of no cells."""
        return wilson(self.right[model], self.n) if self.n else None


@dataclass(frozen=True, eq=False)
class Agreement:
    """Several models on the same cells.

    Parameters
    ----------
    rows
        Positions of the cells, (n,).
    names
        The cases there can be; ``AGREE`` is the first.
    case
        Position in ``names`` of each cell, (n,).
    certainty
        Mean over the models of the probability that each gives to its own label, (n,).
    cases
        One a name.
    """

    models: tuple[str, ...]
    rows: np.ndarray
    names: tuple[str, ...]
    case: np.ndarray
    certainty: np.ndarray
    cases: tuple[Case, ...]

    def apart(self, name: str | None = None) -> np.ndarray:
        """Positions of the cells of one case, or of all but ``AGREE``; the most certain first."""
        chosen = self.case != 0 if name is None else self.case == self.names.index(name)
        found = np.flatnonzero(chosen)
        return self.rows[found[np.argsort(-self.certainty[found], kind="stable")]]


def members(result: StoredComparison) -> tuple[str, ...]:
    """The recommended fusion, and every encoder alone under a logistic regression.

    Empty without a fusion: one encoder has nobody to agree with.
    """
    rows = [row for row in result.summary["models"] if row["kind"] == "model"]
    fused = [row["name"] for row in rows if row["name"] == FUSION]
    alone = [r["name"] for r in rows if r["head"] == ALONE and len(r["encoders"]) == 1]
    return (*fused, *alone) if fused and alone else ()


def agreement_of(result: StoredComparison) -> Agreement | None:
    """How the :func:`members` stand to each other on the first split's test cells."""
    models, rows = members(result), cells_tested(result)
    if not models or not len(rows):
        return None
    codes = np.stack([result.predicted[m][rows] for m in models])
    probability = np.stack([result.probability[m][rows] for m in models])
    return agree(models, rows, codes, probability, result.truth[rows])


def agree(
    models: Sequence[str],
    rows: np.ndarray,
    codes: np.ndarray,
    probability: np.ndarray,
    truth: np.ndarray,
) -> Agreement:
    """Sort cells by how the models' labels stand to each other.

    Parameters
    ----------
    codes, probability
        Each model's label and the probability it gives to it, (models, cells).
    truth
        Class codes, (cells,).
    """
    names, case = _cases(models, codes)
    right = codes == truth
    cases = [
        Case(
            name, int((case == i).sum()), float((case == i).mean()),
            {m: int(right[j, case == i].sum()) for j, m in enumerate(models)},
        )
        for i, name in enumerate(names)
    ]  # fmt: skip
    return Agreement(tuple(models), rows, names, case, probability.mean(axis=0), tuple(cases))


def _cases(models: Sequence[str], codes: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the cases, and which each cell is; of two models neither stands alone."""
    same = (codes == codes[0]).all(axis=0)
    if len(models) == 2:
        return (AGREE, DIFFER), np.where(same, 0, 1)
    case = np.full(codes.shape[1], len(models) + 1)
    for i in range(len(models)):
        others = np.delete(codes, i, axis=0)
        case[(others == others[0]).all(axis=0)] = i + 1
    case[same] = 0
    return (AGREE, *(f"{m} stands alone" for m in models), SEVERAL), case
