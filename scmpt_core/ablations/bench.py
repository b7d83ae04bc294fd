"""Cells and how each encoder reads them: what all ablations of one call share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from scmpt_core.ablations.base import AblationInfo, Context
from scmpt_core.ablations.result import Setting
from scmpt_core.cells import Cells
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import Encoder
from scmpt_core.progress import Progress, part

Vectors = dict[str, np.ndarray]  # encoder → embeddings, (cells, dimension)


@dataclass(eq=False)
class Bench:
    """Cells, unperturbed.

    Parameters
    ----------
    cells
        Of the genes that the model knows.
    contexts
        Encoder → what perturbations may look at.
    means
        Encoder → mean embedding of the training cells, (dimension,); for ablations that ``mix``.
    store
        Keeps what was encoded, so that a call that was killed goes on.
    encoded
        Encoder → cells encoded anew so far.
    """

    encoders: dict[str, Encoder]
    cells: Cells
    contexts: dict[str, Context]
    base: Vectors
    means: Vectors
    store: EmbeddingStore
    encoded: Counter = field(default_factory=Counter)

    def perturbed(
        self, info: AblationInfo, setting: Setting, progress: Progress
    ) -> tuple[Vectors, np.ndarray]:
        """Embeddings under one setting, and which cells have no gene left for any encoder.

        Encoded anew is only what changed: the encoders concerned, and of these the cells
        concerned.
        """
        strength = setting.strength if setting.strength is not None else 0.0
        out, empty = dict(self.base), np.diff(self.cells.expression.indptr) == 0
        if info.mix is not None:
            name = setting.target
            out[name] = info.mix(self.base[name], self.means[name], strength, setting.seed)
            return out, empty
        touched = self.touched(info)
        nothing = [] if len(touched) == len(self.encoders) else [empty]
        for i, name in enumerate(touched):
            cells = info.perturb(self.cells, self.contexts[name], strength, setting.seed)
            nothing.append(np.diff(cells.expression.indptr) == 0)
            rows = changed(self.cells, cells)
            if len(rows):
                step = part(progress, i / len(touched), (i + 1) / len(touched))
                vectors = self.store.get(self.encoders[name], cells.take(rows), step)
                out[name] = self.base[name].copy()
                out[name][rows] = vectors
                self.encoded[name] += len(rows)
        return out, np.all(nothing, axis=0)

    def touched(self, info: AblationInfo) -> list[str]:
        """The encoders whose input ``info`` changes."""
        return [n for n, e in self.encoders.items() if e.info.modality in info.acts_on]


def changed(before: Cells, after: Cells) -> np.ndarray:
    """Positions of the cells that look otherwise ``after``: other genes, values or names."""
    if not np.array_equal(before.genes, after.genes):
        return np.arange(len(before))
    x, y = before.expression, after.expression
    same = np.diff(x.indptr) == np.diff(y.indptr)
    for cell in np.flatnonzero(same):
        mine, theirs = (slice(m.indptr[cell], m.indptr[cell + 1]) for m in (x, y))
        same[cell] = np.array_equal(x.indices[mine], y.indices[theirs]) and np.array_equal(
            x.data[mine], y.data[theirs]
        )
    return np.flatnonzero(~same)
