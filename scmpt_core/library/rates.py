"""How fast this machine was, last time: cells per second of each kind of work and device."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from scmpt_core.library.database import transaction


def note_rate(home: Path, device: str, name: str, cells_per_second: float) -> None:
    """Remember a rate just measured on ``device`` (``"cpu"``, ``"cuda"``, ``"mps"``)."""
    row = (f"{device}:{name}", cells_per_second, time.time())
    with transaction(home) as db:
        db.execute("INSERT OR REPLACE INTO rates VALUES (?, ?, ?)", row)


def known_rates(home: Path, device: str) -> dict[str, float]:
    """Rates measured on this device, cells per second."""
    with transaction(home) as db:
        rows = db.execute("SELECT name, value FROM rates").fetchall()
    mark = f"{device}:"
    return {r["name"].removeprefix(mark): r["value"] for r in rows if r["name"].startswith(mark)}


def embedding_rate(encoder: str) -> str:
    """Name under which an encoder's rate is kept."""
    return f"embed:{encoder}"


def noting(home: Path, device: str) -> Callable[[str, float], None]:
    """What an :class:`~scmpt_core.embeddings.EmbeddingStore` tells rates to."""
    return lambda encoder, rate: note_rate(home, device, embedding_rate(encoder), rate)
