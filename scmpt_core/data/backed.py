"""A large .h5ad read in pieces: what is held in memory does not grow with the number of cells.

The same choice of matrix, the same refusals and the same normalisation as
:func:`scmpt_core.data.load`, in two passes: the first judges all values of each matrix, the second
hands out :class:`Cells` of the chosen one, a few thousand at a time. Only the cells' names and
``var`` are held whole; quality, which needs all cells at once, is not judged.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata.io import read_elem

from scmpt_core.cells import Cells
from scmpt_core.data import checks, genes, normalise
from scmpt_core.data.dataset import cells_of, choose
from scmpt_core.data.guard import check_size, scan_hdf5
from scmpt_core.data.view import View
from scmpt_core.errors import DataError, FileRefused
from scmpt_core.progress import Progress, part, silent
from scmpt_core.settings import Settings, get_settings

ROWS = 4_096  # cells a piece


@dataclass(frozen=True, eq=False)
class BackedMatrix:
    """A CSR or dense matrix in an open file, by rows."""

    item: h5py.Group | h5py.Dataset
    shape: tuple[int, int]

    def rows(self, start: int, stop: int) -> sp.csr_matrix:
        """Rows ``start`` … ``stop`` − 1, with stored zeros and repeats gone.

        Raises
        ------
        FileRefused
            The sparse matrix is damaged: its indices lie outside.
        """
        try:
            if isinstance(self.item, h5py.Dataset):
                return sp.csr_matrix(np.asarray(self.item[start:stop], dtype=np.float32))
            indptr = self.item["indptr"][start : stop + 1].astype(np.int64)
            first, last = int(indptr[0]), int(indptr[-1])
            shape = (stop - start, self.shape[1])
            if not 0 <= last - first <= shape[0] * shape[1]:  # before so much is read
                raise ValueError(f"{last - first:,} values in {shape[0]:,} × {shape[1]:,} places")
            parts = (self.item["data"][first:last], self.item["indices"][first:last])
            matrix = sp.csr_matrix((*parts, indptr - first), shape=shape)
            matrix.check_format(full_check=True)
        except (KeyError, IndexError, ValueError, TypeError, OSError) as error:
            raise FileRefused(
                f"{self.item.name} is a damaged matrix: {error}.", "Write the file again."
            ) from error
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return matrix

    def pieces(self) -> Iterator[sp.csr_matrix]:
        """All rows, in order."""
        for start in range(0, self.shape[0], ROWS):
            yield self.rows(start, min(start + ROWS, self.shape[0]))

    def judge(self, progress: Progress = silent) -> tuple[normalise.Values, np.ndarray]:
        """What the values are, as :func:`normalise.judge` of the whole, and genes per cell."""
        summary, chosen = normalise.Summary(), normalise.sample_rows(self.shape[0])
        sampled, start = [sp.csr_matrix((0, self.shape[1]), dtype=np.float32)], 0
        counts = [np.zeros(0, dtype=np.int64)]
        for piece in self.pieces():
            stop = start + piece.shape[0]
            summary.add(piece.data)
            counts.append(np.diff(piece.indptr))
            sampled.append(piece[chosen[(chosen >= start) & (chosen < stop)] - start])
            progress(stop / self.shape[0], f"looking at the values: {stop:,} cells")
            start = stop
        return summary.judge(sp.vstack(sampled, format="csr")), np.concatenate(counts)


@dataclass(frozen=True, eq=False)
class BackedDataset:
    """An open .h5ad whose matrix stays on disk; a context manager."""

    file: h5py.File
    matrix: str
    values: str
    symbols: np.ndarray  # (columns,), may repeat
    ids: pd.Index
    source: BackedMatrix = field(repr=False)

    def __enter__(self) -> BackedDataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.file.close()

    def __len__(self) -> int:
        return len(self.ids)

    def pieces(self) -> Iterator[tuple[slice, Cells]]:
        """Where each piece stands among all cells, and its normalised cells."""
        for start in range(0, len(self), ROWS):
            where = slice(start, min(start + ROWS, len(self)))
            raw = self.source.rows(where.start, where.stop)
            yield where, cells_of(raw, self.symbols, self.ids[where], self.values)


def open_backed(
    path: Path, view: View | None = None, settings: Settings | None = None,
    progress: Progress = silent,
) -> BackedDataset:  # fmt: skip
    """Open a .h5ad without reading its matrix.

    Raises
    ------
    FileRefused
        Not a .h5ad, unsafe or damaged, or its matrix is stored by columns.
    DataError
        With the first error that is found in the file; or the view leaves out cells (a file
        written in pieces keeps them all), or names a matrix that is not there.
    """
    view, settings = view or View(), settings or get_settings()
    if path.suffix.lower() != ".h5ad":
        raise FileRefused(f"{path.name} is no .h5ad.", "Only .h5ad files are read in pieces.")
    if view.filters:
        raise DataError("Cells cannot be left out of a file that is read in pieces.",
                        "Leave --backed or the thresholds out.")  # fmt: skip
    check_size(path, settings)
    # Nothing is unpacked at once here, so what may be declared is bounded by the ratio alone.
    scan_hdf5(path, settings.model_copy(update={"max_memory_mb": 1 << 40}))
    with ExitStack() as stack:
        file = stack.enter_context(h5py.File(path, "r", locking=False))
        dataset = _judged(path, file, view, progress)
        stack.pop_all()  # the dataset closes it from here on
    return dataset


def _judged(path: Path, file: h5py.File, view: View, progress: Progress) -> BackedDataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names, var = _names(file["obs"]), read_elem(file["var"])
            raw_var = read_elem(file["raw/var"]) if "raw/var" in file else None
        matrices = _matrices(file, path.name, view.matrix)
    except (KeyError, ValueError, TypeError, OSError, AttributeError) as error:
        raise FileRefused(
            f"{path.name} is HDF5 but not a readable .h5ad: {error}",
            "Write it again with a current anndata (adata.write_h5ad).",
        ) from error
    judged, genes_per_cell = {}, {}
    for i, (name, matrix) in enumerate(matrices.items()):
        step = part(progress, i / len(matrices), (i + 1) / len(matrices))
        judged[name], genes_per_cell[name] = matrix.judge(step)
    chosen, _ = choose({n: m.shape for n, m in matrices.items()}, judged, view.matrix)
    values, source = judged.pop(chosen), matrices[chosen]
    columns = genes.shared_symbols(raw_var, var) if chosen == "raw" else var
    if source.shape != (len(names), len(columns)):
        raise FileRefused(
            f"{chosen} of {path.name} is {source.shape[0]:,} × {source.shape[1]:,}, but there are "
            f"{len(names):,} cells and {len(columns):,} genes.",
            "Write the file again.",
        )
    resolved = genes.resolve(columns, view.symbols)
    found = (
        *checks.check_cells(names, genes_per_cell[chosen], source.shape[1]),
        *checks.check_values(values, chosen, judged),
        *checks.check_genes(columns.index.to_numpy(str), resolved, values.kind == "log"),
    )
    if bad := checks.worst(found):
        raise DataError(bad.message, bad.hint)
    ids = ad.utils.make_index_unique(names)
    return BackedDataset(file, chosen, values.kind, resolved.symbols, ids, source)


def _names(group: h5py.Group) -> pd.Index:
    """Names of the cells, without their columns."""
    return pd.Index(np.asarray(read_elem(group[group.attrs["_index"]]), dtype=str))


def _matrices(file: h5py.File, name: str, wanted: str | None) -> dict[str, BackedMatrix]:
    """Every matrix of the file; only the wanted one where one is.

    One that cannot be read by rows is refused, not passed over: :func:`load` might choose it.
    """
    items = {"X": file.get("X"), "raw": file.get("raw/X")}
    items |= dict(file["layers"].items()) if "layers" in file else {}
    out = {}
    for key, item in items.items():
        if item is None or (wanted in items and key != wanted):
            continue
        if isinstance(item, h5py.Dataset) and item.ndim == 2:
            out[key] = BackedMatrix(item, item.shape)
        elif isinstance(item, h5py.Group) and item.attrs.get("encoding-type") == "csr_matrix":
            out[key] = BackedMatrix(item, tuple(int(n) for n in item.attrs["shape"]))
        else:
            raise FileRefused(
                f"{key} of {name} is not stored by rows (CSR or dense).",
                "Write it as scipy.sparse.csr_matrix, name another with --matrix, or leave "
                "--backed out.",
            )
    return out
