"""Cells as other studies could have measured them: on fewer genes, normalised otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from sklearn.utils.sparsefuncs import mean_variance_axis

from scmpt_core.cells import Cells
from scmpt_core.data.normalise import TARGET_SUM
from scripts.reference_data import Study

SMALLEST = 0.04  # share of a study's genes on the smallest panel
MIN_PANEL = 30  # genes
MIN_EXPRESSED = 5  # genes; cells with fewer on a panel are left out of that view
DEPTH = 10.0  # the strongest factor on the linear values


@dataclass(frozen=True, eq=False)
class View:
    """Some cells of a study on some of its genes.

    Parameters
    ----------
    rows
        Which of the study's cells, (cells,).
    """

    study: Study
    cells: Cells
    rows: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """(cells,)."""
        return self.study.labels[self.rows]

    @property
    def groups(self) -> np.ndarray:
        """(cells,); the views of a cell, and of a donor, share one."""
        return np.array([f"{self.study.name} {g}" for g in self.study.groups[self.rows]])


def as_measured(study: Study) -> View:
    """Every cell on every gene."""
    return View(study, study.cells, np.arange(len(study)))


def random_views(study: Study, count: int, part: float, seed: int) -> list[View]:
    """``count`` gene panels, each with a share ``part`` of the cells.

    Panels have 4 to 100 % of the genes (log-uniform); every second one favours genes that vary,
    as published panels do. The values are, in turn, as they were, normalised anew on the panel
    alone, as a file has them that holds no other gene, and scaled by one factor of 0.1 to 10.
    """
    rng, out = np.random.default_rng(seed), []
    for i in range(count):
        genes = study.cells.genes[panel(study.cells, i % 2 == 1, rng)]
        rows = np.sort(rng.permutation(len(study))[: max(1, round(part * len(study)))])
        cells = study.cells.take(rows).restrict(set(genes))
        read = np.flatnonzero(np.diff(cells.expression.indptr) >= MIN_EXPRESSED)
        values = (None, "renormalised", "scaled")[i % 3]
        factor = float(np.exp(rng.uniform(-np.log(DEPTH), np.log(DEPTH))))
        cells = cells.take(read)
        if values is not None:
            cells = rescaled(cells, factor if values == "scaled" else None)
        if len(cells):
            out.append(View(study, cells, rows[read]))
    return out


def panel(cells: Cells, variable: bool, rng: np.random.Generator) -> np.ndarray:
    """Positions of a random panel's genes; weighted by variance or all alike."""
    share = np.exp(rng.uniform(np.log(SMALLEST), 0.0))
    size = min(len(cells.genes), max(MIN_PANEL, round(share * len(cells.genes))))
    keys = np.log(rng.random(len(cells.genes)))
    if variable:  # a draw without replacement (Efraimidis and Spirakis 2006)
        keys /= mean_variance_axis(cells.expression, axis=0)[1] + 1e-12
    return np.argsort(-keys)[:size]


def rescaled(cells: Cells, factor: float | None) -> Cells:
    """Linear values times ``factor``, or, if ``None``, to 10,000 a cell; then their log again."""
    x = cells.expression.copy()
    linear = np.expm1(x.data.astype(np.float64))
    if factor is None:
        total = np.asarray(sp.csr_matrix((linear, x.indices, x.indptr), x.shape).sum(axis=1))
        linear *= np.repeat(TARGET_SUM / np.maximum(total.ravel(), 1e-12), np.diff(x.indptr))
    else:
        linear *= factor
    x.data = np.log1p(linear).astype(np.float32)
    return replace(cells, expression=x, counts=None)


def stacked(views: list[View], genes: np.ndarray) -> Cells:
    """The cells of all views on ``genes``, one after the other; what a view lacks is not expressed.

    Parameters
    ----------
    genes
        Symbols, each view's among them.
    """
    place = {gene: i for i, gene in enumerate(genes)}
    parts = []
    for view in views:
        x = view.cells.expression.tocoo()
        to = np.array([place[gene] for gene in view.cells.genes], dtype=np.int64)
        parts.append(sp.csr_matrix((x.data, (x.row, to[x.col])), (len(view.rows), len(genes))))
    ids = np.array([f"{i} {j}" for i, view in enumerate(views) for j in range(len(view.rows))])
    return Cells(sp.csr_matrix(sp.vstack(parts, format="csr"), dtype=np.float32), genes, ids)
