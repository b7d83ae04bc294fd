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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.encoders import Encoder, identity_hash
from scmpt_core.progress import Meter, Progress, silent

FORMAT = 2
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
        size = encoder.chunk
        chunks = [slice(i, min(i + size, len(cells))) for i in range(0, len(cells), size)]
        files = [folder / f"{c.start:08d}-{c.stop:08d}.npy" for c in chunks]
        stored = {file for file in files if file.exists()}
        if not (folder / "manifest.json").exists() or len(stored) < len(files):
            folder.mkdir(parents=True, exist_ok=True)
            done = sum(c.stop - c.start for c, f in zip(chunks, files, strict=True) if f in stored)
            meter = Meter(progress, len(cells), "cells", encoder.info.name, done=done)
            missing = [(c, f) for c, f in zip(chunks, files, strict=True) if f not in stored]
            self._fill(encoder, cells, missing, meter)
            self._finish(folder, encoder, cells, files)
        progress(1.0, f"{encoder.info.name}: {len(cells):,} cells embedded")
        return self._read(folder, files, encoder)

    @staticmethod
    def key(encoder: Encoder, cells: Cells) -> str:
        """Name of the folder; readable in front, unique behind."""
        text = f"{FORMAT}:{cells.fingerprint}:{identity_hash(encoder)}"
        digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        return f"{encoder.info.name}-{digest}"

    def _fill(
        self, encoder: Encoder, cells: Cells, missing: list[tuple[slice, Path]], meter: Meter
    ) -> None:
        timed = seconds = 0.0
        for i, (chunk, file) in enumerate(missing):
            start, size = time.perf_counter(), chunk.stop - chunk.start
            self._encode(encoder, cells, chunk, file, meter)
            meter.add(size)
            if i or len(missing) == 1:  # the first of several compiles kernels, and warms up
                timed, seconds = timed + size, seconds + time.perf_counter() - start
        if self.noted is not None and timed >= TIMED:
            self.noted(encoder.info.name, timed / seconds)

    def _encode(
        self, encoder: Encoder, cells: Cells, chunk: slice, file: Path, meter: Meter
    ) -> None:
        part = cells.take(np.arange(chunk.start, chunk.stop))
        values = encoder.encode(part, meter.inside(len(part)))
        handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as out:
            np.save(out, values, allow_pickle=False)
        os.replace(temporary, file)

    def _finish(self, folder: Path, encoder: Encoder, cells: Cells, files: list[Path]) -> None:
        manifest = {
            "encoder": encoder.identity(),
            "cells": len(cells),
            "cells_fingerprint": cells.fingerprint,
            "dimension": encoder.info.dimension,
            "chunks": len(files),
        }
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with os.fdopen(handle, "w") as out:
            json.dump(manifest, out, indent=1)
        os.replace(temporary, folder / "manifest.json")

    def _read(self, folder: Path, files: list[Path], encoder: Encoder) -> np.ndarray:
        parts = [np.load(file, allow_pickle=False) for file in files]
        parts = parts or [np.zeros((0, encoder.info.dimension), np.float32)]
        return np.concatenate(parts)
