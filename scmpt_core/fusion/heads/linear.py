"""L2-regularised multinomial logistic regression on the standardised embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Budget, Data, Fit
from scmpt_core.fusion.heads.base import HeadInfo, StandardisedHead, unfitted
from scmpt_core.fusion.logistic import Regression, cross_validate, folds_of
from scmpt_core.progress import Progress


class LinearHead(StandardisedHead):
    """One linear layer over all blocks."""

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__(blocks, classes)
        self.output = nn.Linear(sum(blocks), classes)

    def forward(self, x: Tensor) -> Tensor:  # (cells, features) → (cells, classes)
        return self.output(self.standardised(x))


def fit_linear(head: LinearHead, x: Tensor, codes: Tensor, folds: Tensor) -> Regression:
    """Fit ``head`` to all cells, with the strength that predicts unseen cells best.

    Mean and spread are of all cells: they know no labels.

    Parameters
    ----------
    x, codes, folds
        (cells, features), and the class and the fold of each cell, (cells,).
    """
    head.standardise(x)
    found = cross_validate(head.standardised(x), codes, head.classes, folds)
    with torch.no_grad():
        head.output.weight.copy_(found.weight.T)
        head.output.bias.copy_(found.bias)
    return found


def folded(data: Data, seed: int, device: Device) -> tuple[Tensor, Tensor, Tensor]:
    """Training and validation cells together: features, class codes, folds."""
    x, y, groups = data.together
    return (
        torch.as_tensor(x, dtype=torch.float32, device=device.name),
        torch.as_tensor(y, dtype=torch.int64, device=device.name),
        torch.as_tensor(folds_of(y, groups, seed), device=device.name),
    )


def fit(data: Data, budget: Budget, seed: int, device: Device, progress: Progress) -> Fit:
    """Choose the strength out of fold over training and validation cells; fitted to both."""
    progress(0.0, "logistic regression")
    head = unfitted(LinearHead, data, device)
    found = fit_linear(head, *folded(data, seed, device))
    chosen, losses = {"l2": found.strength}, found.losses
    return Fit(head.eval(), chosen, (), losses[found.strength], len(losses))


LINEAR = HeadInfo(
    "linear", "Logistic regression",
    "one linear layer on the standardised embeddings; L2 strength chosen by cross-validation",
    "Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x", False, ("linear",), LinearHead, fit,
)  # fmt: skip
