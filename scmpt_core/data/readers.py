"""Files → AnnData, one reader a kind; each looks before it opens."""

from __future__ import annotations

import gzip
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp

from scmpt_core.data.guard import check_size, scan_archive, scan_hdf5
from scmpt_core.data.tables import read_table
from scmpt_core.errors import FileRefused
from scmpt_core.settings import Settings, get_settings


@dataclass(frozen=True)
class Reader:
    """One kind of input file."""

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, Settings], ad.AnnData]


def read_h5ad(path: Path, settings: Settings) -> ad.AnnData:
    """AnnData's own format, legacy versions included."""
    scan_hdf5(path, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # legacy encodings, non-unique names: we report our own
        try:
            return ad.read_h5ad(path)
        except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise FileRefused(
                f"{path.name} is HDF5 but not a readable .h5ad: {_first_line(error)}",
                "Write it again with a current anndata (adata.write_h5ad).",
            ) from error


def read_10x_h5(path: Path, settings: Settings) -> ad.AnnData:
    """Cell Ranger's ``*_feature_bc_matrix.h5``, gene expression only."""
    import scanpy as sc

    scan_hdf5(path, settings)
    with h5py.File(path, "r", locking=False) as file:
        keys = set(file)
    if "matrix" not in keys and not any(k.lower().startswith(("grch", "hg", "mm")) for k in keys):
        raise FileRefused(
            f"{path.name} is not a 10x matrix: it holds {', '.join(sorted(keys)) or 'nothing'}.",
            "Give Cell Ranger's filtered_feature_bc_matrix.h5, or rename an AnnData file to .h5ad.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return sc.read_10x_h5(path)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise FileRefused(
                f"{path.name} is not a readable 10x matrix: {_first_line(error)}",
                "Give Cell Ranger's filtered_feature_bc_matrix.h5.",
            ) from error


def folder_files(path: Path) -> tuple[Path, Path, Path]:
    """Matrix, barcodes and features of a 10x folder.

    Raises
    ------
    FileRefused
        One is missing, or there are several.
    """
    matrix, barcodes, features = (_find(path, stems) for stems in _TRIPLET)
    return matrix, barcodes, features


def read_10x_mtx(path: Path, settings: Settings) -> ad.AnnData:
    """A 10x folder: ``matrix.mtx``, ``barcodes.tsv``, ``features.tsv`` or ``genes.tsv``."""
    matrix, barcodes, features = folder_files(path)
    try:
        with _open(matrix, settings) as handle:
            _bounded(handle, matrix.name, settings)
            counts = sp.csr_matrix(scipy.io.mmread(handle).T, dtype=np.float32)
        with _open(barcodes, settings) as handle:
            ids = pd.read_csv(handle, sep="\t", header=None, dtype=str)[0].to_numpy()
        with _open(features, settings) as handle:
            table = pd.read_csv(handle, sep="\t", header=None, dtype=str, na_filter=False)
    except (ValueError, OSError, EOFError, pd.errors.ParserError) as error:
        raise FileRefused(
            f"{path.name} is not a readable 10x folder: {_first_line(error)}",
            "Copy it again from Cell Ranger's output.",
        ) from error
    if counts.shape != (len(ids), len(table)):
        raise FileRefused(
            f"{matrix.name} is {counts.shape[1]:,} genes × {counts.shape[0]:,} cells, but there "
            f"are {len(table):,} features and {len(ids):,} barcodes.",
            "The three files must come from one run.",
        )
    return _from_features(counts, ids, table)


def _bounded(handle, name: str, settings: Settings) -> None:
    """Refuse a matrix whose header declares more than memory may hold; the reader allocates it.

    Read here because ``scipy.io.mminfo`` (SciPy 1.17) aborts the process on an open file.
    """
    line = handle.readline(1 << 16)
    while line.startswith(b"%"):
        line = handle.readline(1 << 16)
    handle.seek(0)
    rows, columns, entries = (int(n) for n in line.split())
    need = 24 * entries + 8 * (rows + columns)  # coordinates, values, and the copy by rows
    if need > settings.max_memory_mb << 20:
        raise FileRefused(
            f"{name} declares {entries:,} entries ({need / 1e9:,.1f} GB in memory; at most "
            f"{settings.max_memory_mb / 1e3:,.1f} GB may be used).",
            "Give fewer cells, or raise SCMPT_MAX_MEMORY_MB.",
        )


def _from_features(counts: sp.csr_matrix, ids: np.ndarray, table: pd.DataFrame) -> ad.AnnData:
    var = pd.DataFrame({"gene_ids": table[0].to_numpy()}, index=table[min(1, table.shape[1] - 1)])
    var.index.name = None
    if table.shape[1] > 2:
        var["feature_types"] = table[2].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata = ad.AnnData(counts, obs=pd.DataFrame(index=ids), var=var)
    if table.shape[1] > 2:  # antibody and CRISPR features are not genes
        adata = adata[:, (var["feature_types"] == "Gene Expression").to_numpy()].copy()
    return adata


def read_10x_archive(path: Path, settings: Settings) -> ad.AnnData:
    """A zipped or tarred 10x folder."""
    names = scan_archive(path, settings)
    wanted = [n for n in names if Path(n).name.removesuffix(".gz").endswith((".mtx", ".tsv"))]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(target, wanted)
        else:
            with tarfile.open(path) as archive:
                members = [archive.getmember(name) for name in wanted]
                archive.extractall(target, members, filter="data")
        folders = {p.parent for p in target.rglob("*matrix.mtx*")}
        if len(folders) != 1:
            raise FileRefused(
                f"{path.name} holds {len(folders)} 10x matrices; exactly one is needed.",
                "Pack one folder with matrix.mtx, barcodes.tsv and features.tsv.",
            )
        return read_10x_mtx(folders.pop(), settings)


def read_csv(path: Path, settings: Settings) -> ad.AnnData:
    """A table of cells × genes or genes × cells, found by where the gene names are."""
    return read_table(path)


READERS = [
    Reader("AnnData", (".h5ad",), read_h5ad),
    Reader("10x HDF5", (".h5",), read_10x_h5),
    Reader("10x archive", (".zip", ".tar.gz", ".tgz"), read_10x_archive),
    Reader("table", (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"), read_csv),
]
SUFFIXES = tuple(suffix for reader in READERS for suffix in reader.suffixes)

_TRIPLET = (("matrix.mtx",), ("barcodes.tsv",), ("features.tsv", "genes.tsv"))


def read(path: Path, settings: Settings | None = None) -> ad.AnnData:
    """Open ``path`` with the reader of its kind.

    Raises
    ------
    FileRefused
        Missing, too large, of an unknown kind, unsafe or damaged.
    """
    settings = settings or get_settings()
    check_size(path, settings)
    if path.is_dir():
        return _checked(read_10x_mtx(path, settings), path.name)
    for reader in READERS:
        if path.name.lower().endswith(reader.suffixes):
            return _checked(reader.read(path, settings), path.name)
    raise FileRefused(
        f"{path.name} is of no known kind; known: {', '.join(SUFFIXES)}, or a 10x folder.",
        "Export it as .h5ad.",
    )


def _checked(adata: ad.AnnData, name: str) -> ad.AnnData:
    """Refuse sparse matrices whose indices lie outside: using them would crash the process."""
    matrices = [adata.X, *adata.layers.values(), *([adata.raw.X] if adata.raw is not None else [])]
    for matrix in matrices:
        if sp.issparse(matrix) and matrix.format in ("csr", "csc"):
            try:
                matrix.check_format(full_check=True)
            except ValueError as error:
                raise FileRefused(
                    f"{name} holds a damaged sparse matrix: {error}.", "Write the file again."
                ) from error
    return adata


def _find(folder: Path, stems: tuple[str, ...]) -> Path:
    for stem in stems:
        for pattern in (stem, f"{stem}.gz", f"*{stem}", f"*{stem}.gz"):
            found = sorted(folder.glob(pattern))
            if len(found) == 1:
                return found[0]
            if found:
                raise FileRefused(f"{folder} holds {len(found)} files {pattern}.", "Keep one.")
    raise FileRefused(
        f"{folder} holds no {' or '.join(stems)}.", "Give the folder with the three 10x files."
    )


def _open(path: Path, settings: Settings):
    """A seekable handle: ``mmread`` wants one, and a temporary file bounds the memory."""
    if path.suffix != ".gz":
        return path.open("rb")
    handle = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    with gzip.open(path) as packed:
        while block := packed.read(1 << 20):
            handle.write(block)
            if handle.tell() > settings.max_memory_mb << 20:
                handle.close()
                raise FileRefused(
                    f"{path.name} unpacks to more than {settings.max_memory_mb:,} MB, the limit.",
                    "Give fewer cells, or raise SCMPT_MAX_MEMORY_MB.",
                )
    handle.seek(0)
    return handle


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
