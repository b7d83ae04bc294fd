"""Scores of cells that are finished, on disk: a run that was killed goes on after the last."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scmpt_core.attribution.base import CellScores
from scmpt_core.fusion.ways import Way


@dataclass(frozen=True)
class Kept:
    """Scores of finished cells on disk."""

    folder: Path | None
    digest: str

    def _file(self, cell: str, target: int, method: str, seed: int) -> Path:
        return self.folder / f"{self.digest}-{cell}-{target}-{method}-{seed}.npz"

    def load(
        self, cell: str, target: int, method: str, seed: int, ways: list[Way]
    ) -> dict[str, CellScores] | None:
        """What was saved, ``None`` where there is nothing whole."""
        if self.folder is None or not (file := self._file(cell, target, method, seed)).is_file():
            return None
        with np.load(file, allow_pickle=False) as arrays:
            quality = json.loads(str(arrays["quality"]))
            return {
                way.name: CellScores(arrays[f"scores:{i}"], quality[i])
                for i, way in enumerate(ways)
            }

    def save(
        self, cell: str, target: int, method: str, seed: int, scores: dict[str, CellScores]
    ) -> None:
        """Under its final name only when it is whole."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self._file(cell, target, method, seed)
        temporary = file.with_name(f"{file.stem}.part.npz")
        arrays = {f"scores:{i}": each.scores for i, each in enumerate(scores.values())}
        quality = json.dumps([each.quality for each in scores.values()])
        np.savez(temporary, quality=np.array(quality), **arrays)
        os.replace(temporary, file)
