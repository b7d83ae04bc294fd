"""A file, opened, checked and normalised."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from scmpt_core.cells import Cells
from scmpt_core.data import checks, genes, labels, normalise
from scmpt_core.data.demo import DEMO, demo_path
from scmpt_core.data.findings import Finding, error, info
from scmpt_core.data.quality import Quality, quality
from scmpt_core.data.readers import read
from scmpt_core.data.view import View
from scmpt_core.errors import DataError
from scmpt_core.settings import Settings

_PREFERENCE = {"counts": 0, "log": 1, "cpm": 2, "scaled": 3, "invalid": 4}


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a file holds, with everything that was found in it.

    ``cells`` is ``None`` where a finding is an error; :meth:`usable` then says which.
    """

    name: str
    adata: ad.AnnData  # as read; goes back out through :mod:`scmpt_core.data.export`
    matrix: str  # "X", "raw" or a layer's name
    values: str  # "counts", "log", "cpm", "scaled", "invalid"
    findings: tuple[Finding, ...]
    cells: Cells | None = None
    labels: tuple[labels.LabelColumn, ...] = field(default=())
    matrices: tuple[str, ...] = field(default=("X",))  # all that the file holds
    view: View = field(default=View())
    quality: Quality | None = None  # of all cells, those left out by the view included

    @property
    def obs(self) -> pd.DataFrame:
        """The user's columns, one row a cell."""
        return self.adata.obs

    @property
    def left_out(self) -> int:
        """Cells of the file that the user's choices left out."""
        return sum(f.count for f in self.findings if f.code == "filtered")

    def usable(self) -> Cells:
        """The cells.

        Raises
        ------
        DataError
            With the first error that was found.
        """
        bad = checks.worst(self.findings)
        if bad is not None or self.cells is None:
            raise DataError(bad.message, bad.hint) if bad else DataError("There are no cells.")
        return self.cells


def load(file: str | Path, view: View | None = None, settings: Settings | None = None) -> Dataset:
    """Open ``file`` (or ``demo``), check it, and normalise its values.

    Parameters
    ----------
    view
        The user's choices. By default the best matrix is taken (raw counts before logs before
        linear values, and among equals the one with more genes), and every cell stays.

    Raises
    ------
    FileRefused
        The file cannot be opened, or must not be.
    DataError
        There is no matrix, or no column, of the name in ``view``.
    """
    view = view or View()
    path = demo_path() if str(file) == DEMO else Path(file).expanduser()
    adata = read(path, settings)
    matrices = tuple(_matrices(adata))
    judged = {m: normalise.judge(_csr(_matrix(adata, m))) for m in matrices}
    chosen, why = choose({m: _matrix(adata, m).shape for m in matrices}, judged, view.matrix)
    values = judged.pop(chosen)
    raw = _csr(_matrix(adata, chosen))
    var = _var(adata, chosen)
    names = genes.resolve(var, view.symbols)
    known = names.recognised >= checks.MIN_RECOGNISED
    better = None if known else genes.better_column(var, checks.MIN_RECOGNISED)
    findings = [
        info("matrix", 0, f"{chosen} is used: {why}."),
        *checks.check_cells(adata.obs_names, np.diff(raw.indptr), raw.shape[1]),
        *checks.check_values(values, chosen, judged),
        *checks.check_genes(var.index.to_numpy(str), names, values.kind == "log", better),
    ]
    cells, judgement = None, None
    if checks.worst(findings) is None:
        cells = cells_of(raw, names.symbols, adata.obs_names, values.kind)
        judgement = quality(cells.expression, cells.genes, cells.counts, values.base2)
        findings.append(info("normalisation", 0, f"Normalisation: {cells.normalisation}."))
        keep = view.keep(judgement)
        findings += checks.check_quality(judgement, keep)
        if view.filters:
            adata, cells, found = _filter(adata, cells, keep)
            findings.append(found)
    columns = labels.candidates(adata.obs)
    for column in columns[:5]:
        findings += labels.check_labels(
            labels.label_values(adata.obs, column.column), column.column
        )
    return Dataset(
        name=DEMO if str(file) == DEMO else path.name,
        adata=adata,
        matrix=chosen,
        values=values.kind,
        findings=tuple(findings),
        cells=cells,
        labels=tuple(columns),
        matrices=matrices,
        view=view,
        quality=judgement,
    )


def _filter(
    adata: ad.AnnData, cells: Cells, keep: np.ndarray
) -> tuple[ad.AnnData, Cells | None, Finding]:
    """Only the cells that stay, in file and matrix alike; never silently."""
    left, out = int(keep.sum()), int((~keep).sum())
    if not left:
        message = f"Your thresholds leave 0 of {len(cells):,} cells."
        return adata, None, error("none_left", out, message, "Widen them, or undo them.")
    message = f"{out:,} of {len(cells):,} cells are left out by your choices; {left:,} stay."
    if out:
        adata, cells = adata[keep].copy(), cells.take(keep)
    return adata, cells, info("filtered", out, message)


def _matrices(adata: ad.AnnData) -> list[str]:
    names = ["X"] if adata.X is not None else []
    names += ["raw"] if adata.raw is not None else []
    return names + [layer for layer in adata.layers if layer is not None]


def _matrix(adata: ad.AnnData, name: str) -> sp.csr_matrix | np.ndarray:
    if name == "X":
        return adata.X
    return adata.raw.X if name == "raw" else adata.layers[name]


def _var(adata: ad.AnnData, name: str) -> pd.DataFrame:
    if name != "raw":
        return adata.var
    return genes.shared_symbols(adata.raw.var, adata.var)


def _csr(matrix) -> sp.csr_matrix:
    if sp.issparse(matrix) and matrix.format == "csr" and matrix.data.all():
        return sp.csr_matrix(matrix)
    try:
        out = sp.csr_matrix(matrix, dtype=None if sp.issparse(matrix) else np.float32, copy=True)
    except (TypeError, ValueError) as error:
        raise DataError(f"The matrix does not hold numbers: {error}.", "Choose another.") from error
    out.sum_duplicates()
    out.eliminate_zeros()
    return out


def choose(
    shapes: dict[str, tuple[int, int]], judged: dict[str, normalise.Values], wanted: str | None
) -> tuple[str, str]:
    """The matrix to use, and why: the one asked for, or the best.

    Raises
    ------
    DataError
        There is none, or none of the name ``wanted``.
    """
    if not judged:
        raise DataError("The file holds no matrix (no X, raw or layers).", "Give another file.")
    if wanted is not None:
        if wanted not in judged:
            raise DataError(
                f"There is no matrix {wanted!r}; there are: {', '.join(judged)}.",
                "Name one of these.",
            )
        return wanted, "it was asked for"

    def rank(name: str) -> tuple[int, int]:
        return _PREFERENCE[judged[name].kind], -shapes[name][1]

    best = min(judged, key=rank)
    if len(judged) == 1:
        return best, "it is the only matrix"
    others = ", ".join(f"{n} holds {v.kind} values" for n, v in judged.items() if n != best)
    return best, f"it holds {judged[best].kind} values; {others}"


def cells_of(
    raw: sp.csr_matrix, symbols: np.ndarray, ids: pd.Index, kind: normalise.ValueKind
) -> Cells:
    """Normalised cells of a checked matrix, columns of one symbol merged, ids made unique."""
    merged, unique = genes.merge_duplicates(raw, symbols, average=kind == "log")
    expression, words = normalise.normalise(merged, kind)
    counts = sp.csr_matrix(merged, dtype=np.float32) if kind == "counts" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = pd.Index(ad.utils.make_index_unique(ids.astype(str)))
    return Cells(expression, np.asarray(unique, str), names.to_numpy(str), counts, words)
