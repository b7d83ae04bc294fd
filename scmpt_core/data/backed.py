"""A large .h5ad read in pieces: what is held in memory does not grow with the number of cells.

The same checks and the same normalisation as :func:`scmpt_core.data.load`, in two passes over
the matrix: the first judges all its values, the second hands out :class:`Cells`, a few thousand
at a time. Only ``obs`` names and ``var`` are held whole.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata.io import read_elem, write_elem

from scmpt_core.cells import Cells
from scmpt_core.data import checks, genes, normalise
from scmpt_core.data.dataset import cells_of, choose
from scmpt_core.data.export import free_name
from scmpt_core.data.findings import Finding, info
from scmpt_core.data.guard import check_size, scan_hdf5
from scmpt_core.data.view import View
from scmpt_core.errors import DataError, FileRefused
from scmpt_core.progress import Progress, silent
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
        if isinstance(self.item, h5py.Dataset):
            return sp.csr_matrix(np.asarray(self.item[start:stop], dtype=np.float32))
        indptr = self.item["indptr"][start : stop + 1].astype(np.int64)
        first, last = int(indptr[0]), int(indptr[-1])
        parts = (self.item["data"][first:last], self.item["indices"][first:last], indptr - first)
        try:
            matrix = sp.csr_matrix(parts, shape=(stop - start, self.shape[1]))
            matrix.check_format(full_check=True)
        except ValueError as error:
            raise FileRefused(
                f"{self.item.name} is a damaged sparse matrix: {error}.", "Write the file again."
            ) from error
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return matrix

    def pieces(self, size: int = ROWS) -> Iterator[sp.csr_matrix]:
        """All rows, in order."""
        for start in range(0, self.shape[0], size):
            yield self.rows(start, min(start + size, self.shape[0]))

    def judge(self, progress: Progress = silent) -> normalise.Values:
        """What the values are; equal to :func:`normalise.judge` of the whole matrix."""
        summary, chosen = normalise.Summary(), normalise.sample_rows(self.shape[0])
        sampled, start = [sp.csr_matrix((0, self.shape[1]), dtype=np.float32)], 0
        for piece in self.pieces():
            stop = start + piece.shape[0]
            summary.add(piece.data)
            sampled.append(piece[chosen[(chosen >= start) & (chosen < stop)] - start])
            progress(stop / self.shape[0], f"looking at the values: {stop:,} cells")
            start = stop
        return summary.judge(sp.vstack(sampled, format="csr"))


@dataclass(frozen=True, eq=False)
class BackedDataset:
    """An open .h5ad whose matrix stays on disk; a context manager."""

    name: str
    path: Path
    file: h5py.File
    matrix: str
    values: str
    findings: tuple[Finding, ...]
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

    def pieces(self, size: int = ROWS) -> Iterator[tuple[slice, Cells]]:
        """Where each piece stands among all cells, and its normalised cells.

        Raises
        ------
        DataError
            With the first error that was found in the file.
        """
        bad = checks.worst(self.findings)
        if bad is not None:
            raise DataError(bad.message, bad.hint)
        for start in range(0, len(self), size):
            where = slice(start, min(start + size, len(self)))
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
        The view leaves out cells (a file written in pieces keeps them all), or names a matrix
        that is not there.
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
    file = h5py.File(path, "r", locking=False)
    try:
        return _judged(path, file, view, progress)
    except BaseException:
        file.close()
        raise


def _judged(path: Path, file: h5py.File, view: View, progress: Progress) -> BackedDataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ids, var = _index(file["obs"]), read_elem(file["var"])
        raw_var = read_elem(file["raw/var"]) if "raw/var" in file else None
    except (KeyError, ValueError, TypeError, OSError, AttributeError) as error:
        raise FileRefused(
            f"{path.name} is HDF5 but not a readable .h5ad: {error}",
            "Write it again with a current anndata (adata.write_h5ad).",
        ) from error
    matrices = _matrices(file, path.name)
    judged = {name: matrix.judge(progress) for name, matrix in matrices.items()}
    chosen, why = choose({n: m.shape for n, m in matrices.items()}, judged, view.matrix)
    values, source = judged.pop(chosen), matrices[chosen]
    columns = genes.shared_symbols(raw_var, var) if chosen == "raw" else var
    names = genes.resolve(columns, view.symbols)
    if source.shape != (len(ids), len(columns)):
        raise FileRefused(
            f"{chosen} of {path.name} is {source.shape[0]:,} × {source.shape[1]:,}, but there are "
            f"{len(ids):,} cells and {len(columns):,} genes.",
            "Write the file again.",
        )
    findings = (
        info("matrix", 0, f"{chosen} is used: {why}."),
        *checks.check_values(values, chosen, judged),
        *checks.check_genes(columns.index.to_numpy(str), names, values.kind == "log"),
    )
    return BackedDataset(
        path.name, path, file, chosen, values.kind, findings, names.symbols, ids, source
    )


def _index(group: h5py.Group) -> pd.Index:
    """Names of the cells, without their columns."""
    values = read_elem(group[group.attrs["_index"]])
    return ad.utils.make_index_unique(pd.Index(np.asarray(values, dtype=str)))


def _matrices(file: h5py.File, name: str) -> dict[str, BackedMatrix]:
    items = {"X": file.get("X"), "raw": file.get("raw/X")}
    items |= dict(file["layers"].items()) if "layers" in file else {}
    out = {}
    for key, item in items.items():
        if item is None:
            continue
        if isinstance(item, h5py.Dataset) and item.ndim == 2:
            out[key] = BackedMatrix(item, item.shape)
        elif isinstance(item, h5py.Group) and item.attrs.get("encoding-type") == "csr_matrix":
            out[key] = BackedMatrix(item, tuple(int(n) for n in item.attrs["shape"]))
    if not out:
        raise FileRefused(
            f"{name} holds no matrix that is stored by rows (CSR or dense).",
            "Write it with adata.X = scipy.sparse.csr_matrix(adata.X), or leave --backed out.",
        )
    return out


class BackedWriter:
    """A copy of a file that gains embeddings piece by piece; whole, or not there at all."""

    def __init__(self, source: Path, out: Path, cells: int, dimensions: dict[str, int]) -> None:
        handle, name = tempfile.mkstemp(suffix=".h5ad", prefix=".scmpt-", dir=out.parent)
        os.close(handle)
        self.out, self.temporary = out, Path(name)
        shutil.copyfile(source, self.temporary)
        self.file = h5py.File(self.temporary, "a", locking=False)
        obsm = self.file.require_group("obsm")
        self.keys = {n: free_name(f"X_scmpt_{n}", obsm) for n in dimensions}
        for name, dimension in dimensions.items():
            made = obsm.create_dataset(
                self.keys[name], (cells, dimension), "f4", chunks=(min(1024, cells), dimension)
            )
            made.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})

    def __enter__(self) -> BackedWriter:
        return self

    def write(self, name: str, where: slice, vectors: np.ndarray) -> None:
        """Put one piece, (cells, dimension), in its place."""
        self.file["obsm"][self.keys[name]][where] = vectors

    def finish(self, record: dict) -> list[str]:
        """Add ``uns["scmpt"]`` and put the file in its place; the names that were written."""
        uns = self.file.require_group("uns")
        key = free_name("scmpt", uns)
        write_elem(uns, key, record)
        self.file.attrs["scmpt"] = True
        self.file.close()
        os.chmod(self.temporary, 0o644)
        os.replace(self.temporary, self.out)
        return [*(f"obsm[{k!r}]" for k in self.keys.values()), f"uns[{key!r}]"]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.file.close()
        self.temporary.unlink(missing_ok=True)
