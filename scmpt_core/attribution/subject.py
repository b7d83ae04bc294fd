"""One cell, and what a model says of it when genes are taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from scmpt_core.attribution.inputs import InputPath, path_of
from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.encoders import Encoder
from scmpt_core.encoders.scgpt import ScGPTEncoder
from scmpt_core.encoders.text import TextEncoder
from scmpt_core.fusion import predict_logits, side_by_side
from scmpt_core.fusion.ways import Way
from scmpt_core.progress import Progress, part, silent
from scmpt_core.seeds import cell_seeds

BATCH = 2_048  # perturbed cells made at a time


class Subject:
    """A cell to be explained.

    Parameters
    ----------
    cell
        One cell, of the genes that the model knows.
    ways
        What to explain; the encoders they need must be in ``encoders``.
    progress
        Told of every batch of perturbed cells, so that a stop is heard.
    """

    def __init__(
        self,
        cell: Cells,
        encoders: dict[str, Encoder],
        ways: Sequence[Way],
        device: Device,
        progress: Progress = silent,
    ) -> None:
        if len(cell) != 1:
            raise ValueError(f"{len(cell)} cells; a subject is one")
        used = {name for way in ways for name in way.encoders}
        self.cell, self.ways, self.device, self.progress = cell, tuple(ways), device, progress
        self.encoders = {name: e for name, e in encoders.items() if name in used}
        self.columns = np.sort(cell.expression.indices).astype(np.int64)  # (genes,)

    @property
    def genes(self) -> np.ndarray:
        """Symbols of the genes it expresses, (genes,)."""
        return self.cell.genes[self.columns]

    @cached_property
    def whole(self) -> dict[str, np.ndarray]:
        """Way → logits of the cell as it is, (classes,)."""
        present = np.ones((1, len(self.columns)), bool)
        return {way: logits[0] for way, logits in self.logits(present).items()}

    @cached_property
    def read(self) -> dict[str, np.ndarray]:
        """Encoder → whether it reads the gene in the cell as it is, (genes,) bool."""
        return {
            name: np.isin(self.columns, self.path(name, "pad", "gene+value").columns)
            for name in self.encoders
        }

    @cached_property
    def decides(self) -> dict[str, np.ndarray]:
        """Encoder → whether it would read otherwise without the gene, (genes,) bool.

        They are the genes that it reads, and some that it does not: of sentences in levels, some
        behind the window; of a cell too long for scGPT, all, since their values make the bins.
        """
        return {
            name: np.isin(self.columns, encoder.deciding_genes(self.cell))
            if isinstance(encoder, (TextEncoder, ScGPTEncoder))
            else self.read[name]
            for name, encoder in self.encoders.items()
        }

    def deciding(self, way: Way) -> np.ndarray:
        """Whether any of the way's encoders would read otherwise without the gene, (genes,)."""
        return np.any([self.decides[name] for name in way.encoders], axis=0)

    def seen(self, way: Way) -> np.ndarray:
        """Whether any of the way's encoders reads the gene, (genes,) bool."""
        return np.any([self.read[name] for name in way.encoders], axis=0)

    def path(self, encoder: str, text_baseline: str, scgpt: str) -> InputPath:
        """The differentiable way from an encoder's input to its embedding."""
        return path_of(self.encoders[encoder], self.cell, text_baseline, scgpt, self.device.name)

    def logits(
        self, present: np.ndarray, progress: Progress | None = None
    ) -> dict[str, np.ndarray]:
        """Judge the cell with only the genes ``present``, (samples, genes) bool.

        A gene taken out is out of every encoder's input; those behind it in the sentence move up,
        and the values of the others are binned anew. Ties stay in the order of the whole cell.
        ``progress``: ``None``, the subject's own.

        Returns
        -------
        Way → logits before the temperature, (samples, classes).
        """
        parts, progress = [], progress or self.progress
        for start in range(0, len(present), BATCH):
            step = part(progress, start / len(present),
                        min(start + BATCH, len(present)) / len(present))  # fmt: skip
            parts.append(self._judge(present[start : start + BATCH], step))
        return {way.name: np.concatenate([p[way.name] for p in parts]) for way in self.ways}

    def _judge(self, present: np.ndarray, progress: Progress) -> dict[str, np.ndarray]:
        cells = self._perturbed(present)
        vectors = {}
        for i, (name, encoder) in enumerate(self.encoders.items()):
            step = part(progress, i / len(self.encoders), (i + 1) / len(self.encoders))
            vectors[name] = encoder.encode(cells, step)
        return {
            way.name: predict_logits(way.head, side_by_side(vectors, way.encoders), self.device)
            for way in self.ways
        }

    def _perturbed(self, present: np.ndarray) -> Cells:
        x = self.cell.expression.sorted_indices()  # in the order of ``columns``
        _, kept = np.nonzero(present)
        indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
        matrix = sp.csr_matrix(
            (x.data[kept], x.indices[kept], indptr), shape=(len(present), x.shape[1])
        )
        made = replace(
            self.cell,
            expression=matrix,
            ids=np.arange(len(present)).astype(str),
            counts=None,
            tie_seeds=np.repeat(cell_seeds(self.cell), len(present)),
        )
        made.__dict__["gene_hashes"] = self.cell.gene_hashes  # the same genes: not hashed again
        return made
