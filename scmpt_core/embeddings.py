"""The embedding store: what was encoded once is never encoded again.

An embedding's key is the content of the cells and the encoder's identity (weights hash, number
format, settings, preprocessing version; for a fitted encoder the fit). Chunks of cells are
written under a temporary name and renamed, the manifest last: a killed run continues at its
first missing chunk, and a manifest there means the embedding is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.encoders import Encoder, identity_hash
from scmpt_core.progress import Meter, Progress, silent

CHUNK = 256  # cells; at 17 cells/s a kill costs at most 15 s
FORMAT = 1


@dataclass(frozen=True)
class EmbeddingStore:
    """Embeddings under one folder."""

    root: Path

    def get(self, encoder: Encoder, cells: Cells, progress: Progress = silent) -> np.ndarray:
        """Embeddings of ``cells``, (cells, dimension) float32, encoded only where missing."""
        folder = self.root / self.key(encoder, cells)
        chunks = [slice(i, min(i + CHUNK, len(cells))) for i in range(0, len(cells), CHUNK)]
        files = [folder / f"{i:06d}.npy" for i in range(len(chunks))]
        stored = {file for file in files if file.exists()}
        if not (folder / "manifest.json").exists() or len(stored) < len(files):
            folder.mkdir(parents=True, exist_ok=True)
            done = sum(c.stop - c.start for c, f in zip(chunks, files, strict=True) if f in stored)
            meter = Meter(progress, len(cells), "cells", encoder.info.name, done=done)
            for chunk, file in zip(chunks, files, strict=True):
                if file not in stored:
                    self._encode(encoder, cells, chunk, file)
                    meter.add(chunk.stop - chunk.start)
            self._finish(folder, encoder, cells, files)
        progress(1.0, f"{encoder.info.name}: {len(cells):,} cells embedded")
        return self._read(folder, files, encoder)

    @staticmethod
    def key(encoder: Encoder, cells: Cells) -> str:
        """Name of the folder; readable in front, unique behind."""
        text = f"{FORMAT}:{cells.fingerprint}:{identity_hash(encoder)}"
        digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        return f"{encoder.info.name}-{digest}"

    def _encode(self, encoder: Encoder, cells: Cells, chunk: slice, file: Path) -> None:
        values = encoder.encode(cells.take(np.arange(chunk.start, chunk.stop)), silent)
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
