"""A copy of a large .h5ad that gains embeddings piece by piece."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from anndata.io import write_elem

from scmpt_core.data.export import free_name


class BackedWriter:
    """The open copy; see :func:`backed_writer`."""

    def __init__(self, file: h5py.File, cells: int, dimensions: dict[str, int]) -> None:
        obsm = file.require_group("obsm")
        self.file, self.finished = file, False
        self.keys = {n: free_name(f"X_scmpt_{n}", obsm) for n in dimensions}
        for name, dimension in dimensions.items():
            shape, chunks = (cells, dimension), (min(1024, cells), dimension)
            made = obsm.create_dataset(self.keys[name], shape, "f4", chunks=chunks)
            made.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})

    def write(self, name: str, where: slice, vectors: np.ndarray) -> None:
        """Put one piece, (cells, dimension), in its place."""
        self.file["obsm"][self.keys[name]][where] = vectors

    def finish(self, record: dict) -> list[str]:
        """Add ``uns["scmpt"]``; the names that were written."""
        uns = self.file.require_group("uns")
        key = free_name("scmpt", uns)
        write_elem(uns, key, record)
        self.file.attrs["scmpt"] = True
        self.finished = True
        return [*(f"obsm[{k!r}]" for k in self.keys.values()), f"uns[{key!r}]"]


@contextmanager
def backed_writer(
    source: Path, out: Path, cells: int, dimensions: dict[str, int]
) -> Iterator[BackedWriter]:
    """A copy of ``source`` that is at ``out`` afterwards if it was finished, and else nowhere."""
    handle, name = tempfile.mkstemp(suffix=".h5ad", prefix=".scmpt-", dir=out.parent)
    os.close(handle)
    try:
        shutil.copyfile(source, name)
        with h5py.File(name, "a", locking=False) as file:
            writer = BackedWriter(file, cells, dimensions)
            yield writer
        if writer.finished:
            os.chmod(name, 0o644)
            os.replace(name, out)
    finally:
        Path(name).unlink(missing_ok=True)
