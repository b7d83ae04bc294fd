"""A copy of a large .h5ad that gains embeddings piece by piece."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np
from anndata.io import write_elem

from scmpt_core.data.export import free_name


class BackedWriter:
    """A copy of a file that gains embeddings piece by piece; whole, or not there at all."""

    def __init__(self, source: Path, out: Path, cells: int, dimensions: dict[str, int]) -> None:
        self.source, self.out = source, out
        self.cells, self.dimensions = cells, dimensions

    def __enter__(self) -> BackedWriter:
        handle, name = tempfile.mkstemp(suffix=".h5ad", prefix=".scmpt-", dir=self.out.parent)
        os.close(handle)
        self.temporary, self.file = Path(name), None
        try:
            shutil.copyfile(self.source, self.temporary)
            self.file = h5py.File(self.temporary, "a", locking=False)
            obsm = self.file.require_group("obsm")
            self.keys = {n: free_name(f"X_scmpt_{n}", obsm) for n in self.dimensions}
            for name, dimension in self.dimensions.items():
                shape, chunks = (self.cells, dimension), (min(1024, self.cells), dimension)
                made = obsm.create_dataset(self.keys[name], shape, "f4", chunks=chunks)
                made.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        except BaseException:
            self._drop()
            raise
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
        self._drop()

    def _drop(self) -> None:
        if self.file is not None:
            self.file.close()
        self.temporary.unlink(missing_ok=True)
