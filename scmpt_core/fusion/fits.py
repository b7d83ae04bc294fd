"""What goes into the fit of a head, and what comes out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scmpt_core.fusion.heads.base import Head


@dataclass(frozen=True, eq=False)
class Data:
    """Embeddings side by side and class codes of the cells that a fit may see.

    Parameters
    ----------
    train, validation
        (cells, sum of blocks) and the class code of each cell, (cells,).
    blocks
        Features of each encoder, in order.
    groups
        Group (donor) of each training cell and of each validation cell; heads that cross-validate
        keep whole groups together.
    dense
        Fits of the paper's head to each encoder alone, on the same cells, where they are there
        already; by default there are none.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    classes: int
    blocks: tuple[int, ...]
    groups: tuple[np.ndarray, np.ndarray] | None = None
    dense: tuple[Fit | None, ...] = ()

    def __post_init__(self) -> None:
        for x, y in (self.train, self.validation):
            if x.shape != (len(y), sum(self.blocks)):
                raise ValueError(f"{x.shape} for {len(y)} cells and blocks {self.blocks}")
            if len(y) and not 0 <= y.min() <= y.max() < self.classes:
                raise ValueError(f"codes {y.min()} … {y.max()} of {self.classes} classes")
        if self.groups is not None:
            sizes = [len(group) for group in self.groups]
            if sizes != [len(self.train[1]), len(self.validation[1])]:
                raise ValueError(f"groups of {sizes} cells")
        if not self.dense:
            object.__setattr__(self, "dense", (None,) * len(self.blocks))

    def alone(self, i: int) -> Data:
        """The same cells as the encoder at ``i`` sees them."""
        end = sum(self.blocks[: i + 1])
        mine = slice(end - self.blocks[i], end)
        parts = [(x[:, mine], y) for x, y in (self.train, self.validation)]
        return Data(*parts, self.classes, (self.blocks[i],), self.groups)

    @property
    def together(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Training and validation cells: features, codes, groups."""
        x, y = (np.concatenate(pair) for pair in zip(self.train, self.validation, strict=True))
        return x, y, None if self.groups is None else np.concatenate(self.groups)


@dataclass(frozen=True)
class Hyperparameters:
    """What the grid of a neural head varies, and what it does not."""

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
class Budget:
    """How hard to search.

    Parameters
    ----------
    settings
        The grid that neural heads are fitted with; heads with a convex loss need none.
    """

    name: str
    summary: str
    settings: tuple[Hyperparameters, ...]


@dataclass(frozen=True)
class Epoch:
    """One point of the learning curve; losses are mean cross-entropies in nats."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted head and how it got there.

    Parameters
    ----------
    hyperparameters
        What was chosen, as a JSON object.
    history
        The learning curve of the chosen setting; empty where a convex problem was solved.
    validation_loss
        Mean cross-entropy in nats that the choice rests on: of the validation cells at the best
        epoch, or, for heads that cross-validate, out of fold over training and validation cells.
    searched
        Settings tried.
    """

    head: Head
    hyperparameters: dict
    history: tuple[Epoch, ...]
    validation_loss: float
    searched: int
