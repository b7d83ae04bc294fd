"""Fit one head: mini-batches, early stopping on the validation cells, the history kept."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F

from scmpt_core.device import Device
from scmpt_core.fusion.heads import HEADS, ConcatMLP


@dataclass(frozen=True)
class Hyperparameters:
    """What the grid varies, and what it does not."""

    learning_rate: float = 3e-4
    weight_decay: float = 0.01
    dropout: float = 0.2
    batch_size: int = 128
    max_epochs: int = 50
    patience: int = 5  # epochs without a better validation loss

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Epoch:
    """One point of the learning curve; losses are mean cross-entropies in nats."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted head (the epoch with the lowest validation loss) and how it got there."""

    head: ConcatMLP
    hyperparameters: Hyperparameters
    history: tuple[Epoch, ...]
    validation_loss: float


def fit_head(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    hyper: Hyperparameters,
    seed: int,
    device: Device,
    blocks: Sequence[int] = (),
) -> Fit:
    """Fit a head on embeddings (cells, features) and class codes (cells,).

    ``blocks`` are the numbers of features of each encoder; by default all are one block.

    Seeded; the caller's random state is left as it was.
    """
    x, y = _tensors(train, device)
    xv, yv = _tensors(validation, device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = HEADS[0].make(x.shape[1], classes, hyper.dropout).to(device.name)
        head.standardise(x, blocks or (x.shape[1],))
        optimiser = torch.optim.AdamW(
            head.parameters(), lr=hyper.learning_rate, weight_decay=hyper.weight_decay, fused=True
        )
        best, state, history = float("inf"), head.state_dict(), []
        best_epoch = 0
        for epoch in range(1, hyper.max_epochs + 1):
            train_loss = _epoch(head, optimiser, x, y, hyper.batch_size, device)
            loss, accuracy = _evaluate(head, xv, yv)
            history.append(Epoch(epoch, train_loss, loss, accuracy))
            if loss < best:
                best, best_epoch, state = loss, epoch, copy.deepcopy(head.state_dict())
            elif epoch - best_epoch >= hyper.patience:
                break
    head.load_state_dict(state)
    return Fit(head.eval(), hyper, tuple(history), best)


def _tensors(part: tuple[np.ndarray, np.ndarray], device: Device) -> tuple[torch.Tensor, ...]:
    x = torch.as_tensor(part[0], dtype=torch.float32, device=device.name)
    return x, torch.as_tensor(part[1], dtype=torch.int64, device=device.name)


def _epoch(head, optimiser, x, y, batch_size: int, device: Device) -> float:
    head.train()
    total = 0.0
    mixed = device.dtype is torch.bfloat16
    for batch in torch.randperm(len(x), device="cpu").to(x.device).split(batch_size):
        with torch.autocast(device.name, dtype=torch.bfloat16, enabled=mixed):
            logits = head(x[batch])
        loss = F.cross_entropy(logits.float(), y[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(batch)
    return total / len(x)


@torch.inference_mode()
def _evaluate(head, x, y) -> tuple[float, float]:
    head.eval()
    logits = head(x)
    accuracy = (logits.argmax(dim=1) == y).float().mean()
    return float(F.cross_entropy(logits, y)), float(accuracy)


@torch.inference_mode()
def predict_proba(head: ConcatMLP, x: np.ndarray, device: Device) -> np.ndarray:
    """Class probabilities, (cells, classes) float32, in float32 whatever the training used."""
    head = head.to(device.name).eval()
    batches = torch.as_tensor(x, dtype=torch.float32).split(8192)
    parts = [head(b.to(device.name)).softmax(dim=1).cpu() for b in batches]
    return torch.cat(parts).numpy()
