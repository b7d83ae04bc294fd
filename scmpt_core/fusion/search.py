"""The grid, by successive halving. The validation cells choose; test cells take no part.

All settings are trained for two epochs, the better half for four, the better half of those for
eight, and so on (Jamieson & Talwalkar 2016, arXiv 1502.07943); the last two run until they are out
of patience. A low learning rate learns later, not worse, so the best setting of each rate stays in
the race as long as its curve, extrapolated, could still beat the best loss found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count, product
from typing import TYPE_CHECKING

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Budget, Data, Fit, Hyperparameters
from scmpt_core.fusion.training import Run, Trainer
from scmpt_core.progress import Progress, part

if TYPE_CHECKING:
    from scmpt_core.fusion.heads.neural import NeuralHead

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3)  # the paper's range
FIRST = 2  # epochs before the first cut
LAST = 2  # settings that run to their end
MOST = 16  # settings that go beyond the first cut: their weights are held in memory
# Settings in one batch. On a CPU 4 took 0.86 × the time of 4 alone, and 8 took 1.1 ×: their weights
# no longer fit its cache. A GPU has room for more.
TOGETHER = {"cpu": 4}
TOGETHER_ELSEWHERE = 16
NEGLIGIBLE = 0.01  # share of the weights that a decay takes away from first step to last


def _grid(*axes: Iterable[float]) -> tuple[Hyperparameters, ...]:
    """Learning rates × weight decays × dropouts × batch sizes."""
    return tuple(Hyperparameters(*values) for values in product(*axes))


QUICK = Budget(
    "quick", "6 settings: three learning rates, two dropouts",
    _grid((1e-4, 3e-4, 1e-3), (0.01,), (0.2, 0.5), (128,)),
)  # fmt: skip
PAPER = Budget(
    "paper", "60 settings: the paper's learning rates and batch sizes, weight decay, dropout",
    _grid(RATES, (0.01, 1.0), (0.2, 0.5), (64, 128, 512)),
)  # fmt: skip
THOROUGH = Budget(
    "thorough", "216 settings: a wider and finer grid",
    _grid((*RATES, 3e-3), (0.01, 1.0, 10.0), (0.0, 0.2, 0.5), (32, 64, 128, 512)),
)  # fmt: skip


def search(
    make: Callable[[tuple[int, ...], int], NeuralHead],
    data: Data,
    budget: Budget,
    seed: int,
    device: Device,
    progress: Progress,
) -> Fit:
    """The fit with the lowest validation loss over the budget's grid.

    Seeded; the caller's random state is left as it was. Cancelled between epochs.
    """
    trainer = Trainer(make, data, seed, device)
    going = [trainer.start(hyper) for hyper in distinct(budget.settings, trainer.cells)]
    best, epochs = going[0], FIRST
    rungs = math.ceil(math.log2(len(going))) + 1  # expected; the last two may need some more
    for rung in count():
        keep = min(MOST, max(LAST, len(going) // 2))
        share = part(progress, min(rung, rungs - 1) / rungs, min(rung + 1, rungs) / rungs)
        best, going = _rung(trainer, going, best, epochs, keep, share)
        if not going:
            return trainer.fit(best, len(budget.settings))
        epochs *= 2


def distinct(settings: tuple[Hyperparameters, ...], cells: int) -> list[Hyperparameters]:
    """``settings`` without those that train as an earlier one does on ``cells`` an epoch.

    A batch cannot hold more cells than there are, and a decay that takes less than 1 % off the
    weights in the whole training does what no decay does.
    """
    kinds: dict[tuple, Hyperparameters] = {}
    for hyper in settings:
        batch = min(hyper.batch_size, cells)
        steps = math.ceil(cells / batch) * hyper.max_epochs
        taken = hyper.learning_rate * hyper.weight_decay * steps
        decay = hyper.weight_decay if taken > NEGLIGIBLE else 0.0
        kinds.setdefault((hyper.learning_rate, batch, hyper.dropout, decay), hyper)
    return list(kinds.values())


def _rung(
    trainer: Trainer, runs: list[Run], best: Run, epochs: int, keep: int, progress: Progress
) -> tuple[Run, list[Run]]:
    """Train ``runs`` to ``epochs`` in all → the best of all so far, and those that go on."""
    kept: list[Run] = []
    cohorts = list(_cohorts(runs, TOGETHER.get(trainer.device.name, TOGETHER_ELSEWHERE)))
    for i, cohort in enumerate(cohorts):
        message = f"settings in the race: {len(runs)}, to epoch {epochs}"
        trainer.advance(cohort, epochs, partial(progress, i / len(cohorts), message))
        best, kept = cut([*kept, *cohort], best, keep)  # at once: the rest frees its memory
    return best, kept


def _cohorts(runs: list[Run], most: int) -> Iterator[list[Run]]:
    """Runs that can be trained as one batch: of one batch size, ``most`` at a time."""
    for size in sorted({run.hyper.batch_size for run in runs}):
        alike = [run for run in runs if run.hyper.batch_size == size]
        for start in range(0, len(alike), most):
            yield alike[start : start + most]


def cut(runs: list[Run], best: Run, keep: int) -> tuple[Run, list[Run]]:
    """The best run of all, and those of ``runs`` that go on; the others lose their weights."""
    best = min([best, *runs], key=lambda run: run.loss)
    going = sorted((run for run in runs if not run.finished), key=lambda run: run.loss)
    kept = going[:keep]
    for run in going[keep:]:
        first_of_its_rate = run.hyper.learning_rate not in {r.hyper.learning_rate for r in kept}
        if first_of_its_rate and hopeful(run, best.loss):
            kept.append(run)
    for run in runs:
        if run not in kept:
            run.forget(all_but_best=run is best)
    return best, kept


def hopeful(run: Run, goal: float) -> bool:
    """Whether the curve of ``run`` could fall below ``goal`` by its last epoch.

    Its falls are extrapolated as a geometric series, as in Aitken's Δ² process.
    """
    losses = [epoch.validation_loss for epoch in run.history]
    if len(losses) < 3:
        return True
    before, fall = losses[-3] - losses[-2], losses[-2] - losses[-1]
    if fall <= 0:
        return False
    ratio = min(fall / before, 1.0) if before > 0 else 1.0
    left = run.hyper.max_epochs - len(losses)
    return losses[-1] - fall * sum(ratio**k for k in range(1, left + 1)) < goal
