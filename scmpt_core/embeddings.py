"""The embedding store: what was encoded once is never encoded again.

An embedding's key is the content of the cells and the encoder's identity (weights hash, number
format, settings, preprocessing version; for a fitted encoder the fit). Chunks of cells are
written under a temporary name and renamed, the manifest last: a killed run continues at its
first missing chunk, and a manifest there means the embedding is complete. Chunks are about as
many cells as the encoder embeds in some seconds on its device.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.encoders import Encoder, identity_hash
from scmpt_core.progress import Meter, Progress, silent

FORMAT = 2
MANIFEST = "manifest.json"
TIMED = 256  # cells that a rate is told from, at least


@dataclass(frozen=True)
class EmbeddingStore:
    """Embeddings under one folder.

    Parameters
    ----------
    noted
        Hears an encoder's name and how many cells a second it embedded.
    """

    root: Path
    noted: Callable[[str, float], None] | None = None

    def get(self, encoder: Encoder, cells: Cells, progress: Progress = silent) -> np.ndarray:
        """Embeddings of ``cells``, (cells, dimension) float32, encoded only where missing."""
        folder = self.root / self.key(encoder, cells)
        shape = (len(cells), encoder.info.dimension)
        chunks = _complete(folder, shape)
        if chunks is None:
            starts = range(0, len(cells), encoder.chunk)
            chunks = [Chunk(folder, i, min(i + encoder.chunk, len(cells))) for i in starts]
            folder.mkdir(parents=True, exist_ok=True)
            missing = [c for c in chunks if not c.sound(shape[1])]
            done = len(cells) - sum(len(c) for c in missing)
            meter = Meter(progress, len(cells), "cells", encoder.info.name, done=done)
            self._fill(encoder, cells, missing, meter)
            self._finish(folder, encoder, cells, chunks)
        progress(1.0, f"{encoder.info.name}: {len(cells):,} cells embedded")
        parts = [np.load(c.file, allow_pickle=False) for c in chunks]
        return np.concatenate(parts or [np.zeros(shape, np.float32)])

    def has(self, encoder: Encoder, cells: Cells) -> bool:
        """Whether all of ``cells`` are embedded already."""
        folder = self.root / self.key(encoder, cells)
        return _complete(folder, (len(cells), encoder.info.dimension)) is not None

    @staticmethod
    def key(encoder: Encoder, cells: Cells) -> str:
        """Name of the folder; readable in front, unique behind."""
        text = f"{FORMAT}:{cells.fingerprint}:{identity_hash(encoder)}"
        digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        return f"{encoder.info.name}-{digest}"

    def _fill(self, encoder: Encoder, cells: Cells, missing: list[Chunk], meter: Meter) -> None:
        timed = seconds = 0.0
        for i, chunk in enumerate(missing):
            start = time.perf_counter()
            part = cells.take(np.arange(chunk.start, chunk.stop))
            values = encoder.encode(part, meter.inside(len(part)))
            with _renamed(chunk.file, "wb") as out:
                np.save(out, values, allow_pickle=False)
            meter.add(len(chunk))
            if i:  # the first compiles kernels and warms up
                timed, seconds = timed + len(chunk), seconds + time.perf_counter() - start
        if self.noted is not None and timed >= TIMED:
            self.noted(encoder.info.name, timed / seconds)

    @staticmethod
    def _finish(folder: Path, encoder: Encoder, cells: Cells, chunks: list[Chunk]) -> None:
        manifest = {
            "encoder": encoder.identity(),
            "cells": len(cells),
            "cells_fingerprint": cells.fingerprint,
            "dimension": encoder.info.dimension,
            "chunks": [[c.start, c.stop] for c in chunks],
        }
        with _renamed(folder / MANIFEST, "w") as out:
            json.dump(manifest, out, indent=1)


@dataclass(frozen=True)
class Chunk:
    """Consecutive cells and the file of their vectors."""

    folder: Path
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def file(self) -> Path:
        """Named by its cells, so that chunks of another size are other files."""
        return self.folder / f"{self.start:08d}-{self.stop:08d}.npy"

    def sound(self, dimension: int) -> bool:
        """Whether the file is there and whole."""
        try:
            shape = np.load(self.file, mmap_mode="r", allow_pickle=False).shape
        except (OSError, ValueError, EOFError):  # missing, or cut short by a crash of the machine
            return False
        return shape == (len(self), dimension)


def _complete(folder: Path, shape: tuple[int, int]) -> list[Chunk] | None:
    """The chunks of an embedding that is there as a whole, of whatever size they are."""
    try:
        listed = json.loads((folder / MANIFEST).read_text())["chunks"]
    except (OSError, ValueError):
        return None
    chunks = [Chunk(folder, start, stop) for start, stop in listed]
    return chunks if all(chunk.sound(shape[1]) for chunk in chunks) else None


@contextmanager
def _renamed(target: Path, mode: str) -> Iterator[IO]:
    """A temporary file beside ``target`` that takes its place when it is whole."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
    with os.fdopen(handle, mode) as out:
        yield out
    os.replace(temporary, target)
