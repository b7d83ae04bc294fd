"""Training many settings of one head side by side, and predicting with one.

The weights of the settings are stacked and each mini-batch goes through all of them at once
(``torch.func``); each keeps its own learning rate, weight decay, dropout and best epoch. The order
of the cells and the draws of the dropout belong to the seed and the epoch alone, so a setting
learns the same whichever others are trained beside it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Data, Epoch, Fit, Hyperparameters

if TYPE_CHECKING:
    from scmpt_core.fusion.heads.neural import NeuralHead

MOST_CELLS = 2048  # an epoch's, unless a tenth of all is more


@dataclass(eq=False)
class Run:
    """One setting on its way: where it stands, and the best epoch so far."""

    hyper: Hyperparameters
    weights: dict[str, Tensor]
    moments: dict[str, dict] = field(default_factory=dict)  # the optimiser's, by weight
    history: list[Epoch] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best(self) -> Epoch:
        """The epoch with the lowest validation loss, the first of equals."""
        return min(self.history, key=lambda epoch: epoch.validation_loss)

    @property
    def loss(self) -> float:
        """The lowest validation loss so far."""
        loss = self.best.validation_loss if self.history else math.inf
        return loss if math.isfinite(loss) else math.inf  # of a run that diverged

    @property
    def finished(self) -> bool:
        """Out of patience, or of epochs."""
        epochs = len(self.history)
        patience = epochs > 0 and epochs - self.best.epoch >= self.hyper.patience
        return patience or epochs >= self.hyper.max_epochs

    def record(self, epoch: Epoch, weights: dict[str, Tensor]) -> None:
        """Note an epoch and, if it is the best, its ``weights``."""
        self.history.append(epoch)
        if self.best is epoch:
            self.best_weights = {name: w.detach().clone() for name, w in weights.items()}

    def forget(self, all_but_best: bool) -> None:
        """Free the memory of a run that does not go on."""
        self.weights, self.moments = {}, {}
        if not all_but_best:
            self.best_weights = {}


class Trainer:
    """A head, the cells, and the seed: what the settings of one search share.

    An epoch is a pass over the training cells; where there are more than ``MOST_CELLS``, over a
    new draw of that many, or of a tenth: the curve needs points, and halving needs them early.
    """

    def __init__(
        self,
        make: Callable[[tuple[int, ...], int], NeuralHead],
        data: Data,
        seed: int,
        device: Device,
    ) -> None:
        self.seed, self.device, self.mixed = seed, device, mixed_precision(device)
        self.train = _tensors(data.train, device)
        self.validation = _tensors(data.validation, device)
        with _seeded(seed):
            self.head = make(data.blocks, data.classes)
        self.head = self.head.to(device.name)
        self.head.standardise(self.train[0])
        n = len(self.train[0])
        self.cells = min(n, max(MOST_CELLS, n // 10))
        self.initial = {name: w.detach().clone() for name, w in self.head.named_parameters()}

    def start(self, hyper: Hyperparameters) -> Run:
        """A setting before its first epoch; all start from the same weights."""
        return Run(hyper, self.initial)

    def advance(self, runs: list[Run], epochs: int, between: Callable[[], None]) -> None:
        """Train ``runs``, all of one batch size, to ``epochs`` in all, or to their own end.

        ``between`` is called before each epoch; what it raises goes through.
        """
        stack = _Stack(self.head, runs)
        for number in range(len(runs[0].history) + 1, epochs + 1):
            if all(run.finished for run in runs):
                break
            between()
            losses = self._epoch(stack, number)
            validation, right = self._evaluate(stack)
            for i, run in enumerate(runs):
                if not run.finished:
                    run.record(Epoch(number, losses[i], validation[i], right[i]), stack.views[i])
        stack.hand_back()

    def fit(self, run: Run, searched: int) -> Fit:
        """The head of the best epoch of ``run``."""
        head = copy.deepcopy(self.head)
        head.load_state_dict(run.best_weights, strict=False)  # the buffers are there already
        chosen, loss = run.hyper.to_json(), run.best.validation_loss
        return Fit(head.eval(), chosen, tuple(run.history), loss, searched)

    def _epoch(self, stack: _Stack, number: int) -> list[float]:
        """One pass over the training cells, or some of them → mean loss of each run."""
        x, y = self.train
        total = torch.zeros(len(stack.runs), device=x.device)
        with _seeded(self.seed + 1_000_003 * number):
            order = torch.randperm(len(x))[: self.cells].to(x.device)
            for batch in order.split(stack.runs[0].hyper.batch_size):
                with torch.autocast(self.device.name, torch.bfloat16, enabled=self.mixed):
                    logits = stack(x[batch], stack.dropout)
                loss = _losses(logits, y[batch])
                loss.sum().backward()
                stack.step()
                total += loss.detach() * len(batch)
        return (total / self.cells).tolist()

    @torch.no_grad()
    def _evaluate(self, stack: _Stack) -> tuple[list[float], list[float]]:
        """Mean loss and accuracy of each run on the validation cells."""
        x, y = self.validation
        logits = torch.cat([stack(some) for some in x.split(1024)], 1)  # (runs, cells, classes)
        right = (logits.argmax(-1) == y).float().mean(1)
        return _losses(logits, y).tolist(), right.tolist()


class _Stack:
    """The weights of several runs, stacked; the optimiser steps on views of each."""

    def __init__(self, head: NeuralHead, runs: list[Run]) -> None:
        self.head, self.runs = head, runs
        self.weights = {
            name: torch.stack([run.weights[name] for run in runs]).requires_grad_()
            for name in runs[0].weights
        }
        device = next(iter(self.weights.values())).device
        self.dropout = torch.tensor([run.hyper.dropout for run in runs], device=device)
        self.views = [{n: w.detach()[i] for n, w in self.weights.items()} for i in range(len(runs))]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(v.values()), "lr": r.hyper.learning_rate,
                 "weight_decay": r.hyper.weight_decay}
                for v, r in zip(self.views, runs, strict=True)
            ],
            fused=True,
        )  # fmt: skip
        for view, run in zip(self.views, runs, strict=True):
            for name, moments in run.moments.items():
                self.optimiser.state[view[name]] = moments

    def __call__(self, x: Tensor, dropout: Tensor | None = None) -> Tensor:
        """(cells, features) → logits, (runs, cells, classes)."""
        if dropout is None:
            return vmap(lambda w: functional_call(self.head, w, x))(self.weights)

        def one(weights: dict[str, Tensor], p: Tensor) -> Tensor:
            return functional_call(self.head, weights, (x, p))

        return vmap(one, randomness="same")(self.weights, dropout)

    def step(self) -> None:
        """Move each run by its own rate along its own gradient."""
        for i, view in enumerate(self.views):
            for name, w in self.weights.items():
                view[name].grad = w.grad[i]
        self.optimiser.step()
        for w in self.weights.values():
            w.grad = None

    def hand_back(self) -> None:
        """Leave weights and moments with the runs."""
        for view, run in zip(self.views, self.runs, strict=True):
            run.moments = {name: self.optimiser.state[w] for name, w in view.items()}
            # cloned: a view would keep the whole stack alive
            run.weights = {name: w.clone() for name, w in view.items()}


def _losses(logits: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of each run, (runs,)."""
    return torch.stack([F.cross_entropy(one.float(), y) for one in logits])


def mixed_precision(device: Device) -> bool:
    """Whether training multiplies in bfloat16.

    The device's choice, but on a CPU only with AMX: without it, turning the weights of each step
    into bfloat16 costs more than the products gain (measured: 170 against 115 ms an epoch).
    """
    fast = device.name != "cpu" or torch.cpu.get_capabilities().get("amx_bf16", False)
    return device.dtype is torch.bfloat16 and bool(fast)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Chance by ``seed`` inside; the caller's is as it was afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def _tensors(part: tuple[np.ndarray, np.ndarray], device: Device) -> tuple[Tensor, Tensor]:
    x = torch.as_tensor(part[0], dtype=torch.float32, device=device.name)
    return x, torch.as_tensor(part[1], dtype=torch.int64, device=device.name)


@torch.inference_mode()
def predict_logits(head: nn.Module, x: np.ndarray, device: Device) -> np.ndarray:
    """Logits, (cells, classes) float32, in float32 whatever the training used."""
    head = head.to(device.name).eval()
    batches = torch.as_tensor(x, dtype=torch.float32).split(8192)
    return torch.cat([head(b.to(device.name)).cpu() for b in batches]).numpy()


def predict_proba(head: nn.Module, x: np.ndarray, device: Device) -> np.ndarray:
    """Class probabilities, (cells, classes) float32; see :func:`predict_logits`."""
    return torch.from_numpy(predict_logits(head, x, device)).softmax(dim=1).numpy()
