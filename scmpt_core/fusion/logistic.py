"""Multinomial logistic regression along a path of L2 strengths, all folds as one problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from torch import Tensor

STRENGTHS = tuple(10 ** (k / 2) for k in range(7, -4, -1))  # 3162 … 0.03
ENOUGH = 2  # strengths in a row without a better loss end the path
FOLDS = 4
STEPS = 200  # of L-BFGS a strength
TOLERANCE = 1e-5  # of the scaled gradient
CHUNK = 1 << 23  # logits held at a time


@dataclass(frozen=True, eq=False)
class Regression:
    """The regression whose strength predicts unseen cells best.

    Parameters
    ----------
    weight, bias
        Fitted to all cells, (features, classes) and (classes,).
    out_of_fold
        Log probabilities of each cell by the fit that has not seen its fold, (cells, classes).
    judged
        (cells,); false where the other folds hold no cell of the class, so that no strength could
        have known it.
    losses
        Strength → mean log loss in nats over the judged cells; of the strengths tried.
    """

    strength: float
    weight: Tensor
    bias: Tensor
    out_of_fold: Tensor
    judged: Tensor
    losses: dict[float, float]


def folds_of(codes: np.ndarray, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """The fold of each cell, (cells,): stratified by class, whole groups kept together.

    Four folds, fewer where there are fewer groups or only classes of fewer cells. A single group
    cannot be held out from itself and is split by cells.
    """
    names = np.unique(groups) if groups is not None else []
    if len(names) > 1:
        splitter = StratifiedGroupKFold(min(FOLDS, len(names)), shuffle=True, random_state=seed)
    else:
        most = max(2, min(FOLDS, np.bincount(codes).max()))
        splitter, groups = StratifiedKFold(most, shuffle=True, random_state=seed), None
    out = np.empty(len(codes), dtype=np.int64)
    for i, (_, held) in enumerate(splitter.split(np.zeros(len(codes)), codes, groups)):
        out[held] = i
    return out


def cross_validate(
    x: Tensor, codes: Tensor, classes: int, folds: Tensor, strengths: tuple[float, ...] = STRENGTHS
) -> Regression:
    """Fit to all folds but one, predict that one, from the strongest penalty to the weakest.

    Minimised is Σ cross-entropy + strength / 2 · Σ W², so a strength is scikit-learn's 1 / C; the
    intercept is not penalised. Each strength starts from the solution of the one before; the path
    ends when two in a row have not bettered the loss. The fit to all cells walks along with those
    of the folds.

    Parameters
    ----------
    x, codes, folds
        Standardised features, (cells, features), and the class and fold of each cell, (cells,).
    """
    problem = _Problem(x, codes, classes)
    n_folds = int(folds.max()) + 1
    seen = torch.stack([folds != k for k in range(n_folds + 1)]).to(x.dtype)  # the last: all cells
    judged = (seen @ problem.targets)[folds, codes] > 0
    best: Regression | None = None
    losses: dict[float, float] = {}
    v, worse = problem.zeros(len(seen)), 0
    for strength in sorted(strengths, reverse=True):
        v = problem.minimise(v, seen, strength)
        log_proba = problem.held_out(v, folds)
        losses[strength] = float(F.nll_loss(log_proba[judged], codes[judged]))
        if best is None or losses[strength] < losses[best.strength]:
            weight, bias = problem.turned_back(v[:, -1])
            best, worse = Regression(strength, weight, bias, log_proba, judged, losses), 0
        elif (worse := worse + 1) == ENOUGH:
            break
    if best is None:
        raise ValueError("no strengths")
    return best


class _Problem:
    """Several regressions on the same cells, which they weigh differently.

    L2 knows no directions, so the features are turned onto their principal axes, where the
    Hessian is nearly diagonal, and scaled by it: L-BFGS then needs far fewer steps.
    """

    def __init__(self, x: Tensor, codes: Tensor, classes: int) -> None:
        power, axes = torch.linalg.eigh((x.T @ x).cpu().double())
        self.axes = axes[:, power > power[-1] * 1e-7].to(x)  # (features, axes)
        self.z = torch.cat([x @ self.axes, x.new_ones(len(x), 1)], 1)  # (cells, axes + 1)
        self.targets = F.one_hot(codes, classes).to(x.dtype)  # (cells, classes)

    def zeros(self, problems: int) -> Tensor:
        """Where a path begins, (axes + 1, problems, classes)."""
        return self.z.new_zeros(self.z.shape[1], problems, self.targets.shape[1])

    def held_out(self, v: Tensor, folds: Tensor) -> Tensor:
        """Log probabilities of each cell by the problem of its fold, (cells, classes)."""
        out = torch.empty_like(self.targets)
        for k in range(int(folds.max()) + 1):
            out[folds == k] = (self.z[folds == k] @ v[:, k]).log_softmax(-1)
        return out

    def turned_back(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Weights on the features as given, (features, classes), and bias, (classes,)."""
        return self.axes @ v[:-1], v[-1]

    def minimise(self, start: Tensor, weights: Tensor, strength: float) -> Tensor:
        """The solution by L-BFGS from ``start``, (axes + 1, problems, classes).

        ``weights``, (problems, cells), is how much each cell counts.
        """
        share = (weights / weights.sum(1, keepdim=True)).T[..., None]  # a mean: problems alike
        ridge = (strength / weights.sum(1)).expand(len(start), -1)[..., None].clone()
        ridge[-1] = 0
        scale = (self._curvature(start, share) + ridge).clamp(min=1e-9).rsqrt()
        u = start / scale

        def closure() -> Tensor:
            v = u * scale
            loss, gradient = self._loss(v, share)
            u.grad = (gradient + ridge * v) * scale
            return loss + 0.5 * (ridge * v.square()).sum()

        torch.optim.LBFGS(
            [u], max_iter=STEPS, history_size=20, tolerance_grad=TOLERANCE, tolerance_change=1e-9,
            line_search_fn="strong_wolfe",
        ).step(closure)  # fmt: skip
        return u * scale

    def _chunks(self, share: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        rows = max(1, CHUNK // (share.shape[1] * self.targets.shape[1]))
        parts = self.z.split(rows), self.targets[:, None].split(rows), share.split(rows)
        return zip(*parts, strict=True)

    def _loss(self, v: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        """Mean cross-entropies, summed, and their gradient, (axes + 1, problems, classes)."""
        flat = v.flatten(1)
        loss, gradient = v.new_zeros(()), torch.zeros_like(flat)
        for z, target, m in self._chunks(share):
            log_proba = (z @ flat).view(-1, *v.shape[1:]).log_softmax(-1)
            loss -= (log_proba * target * m).sum()
            gradient += z.T @ ((log_proba.exp() - target) * m).flatten(1)
        return loss, gradient.view_as(v)

    def _curvature(self, v: Tensor, share: Tensor) -> Tensor:
        """Diagonal of the Hessian of the cross-entropies, (axes + 1, problems, classes)."""
        flat = v.flatten(1)
        out = torch.zeros_like(flat)
        for z, _, m in self._chunks(share):
            proba = (z @ flat).view(-1, *v.shape[1:]).softmax(-1)
            out += z.square().T @ (proba * (1 - proba) * m).flatten(1)
        return out.view_as(v)
