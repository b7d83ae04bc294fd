"""Bytes on their way: how far they are, and whether there is room for them."""

from __future__ import annotations

import shutil
from pathlib import Path

from scmpt_core.errors import MissingComponent
from scmpt_core.progress import Meter, Progress

MB = 1_000_000


class ByteMeter:
    """Counts bytes and reports megabytes, their rate and the time left."""

    def __init__(self, progress: Progress, total: int, what: str, done: int = 0) -> None:
        self.bytes = done
        self.meter = Meter(progress, round(total / MB), "MB", what, round(done / MB))

    def add(self, count: int) -> None:
        """Note ``count`` bytes as arrived (negative: as thrown away) and report."""
        self.bytes += count
        self.meter.add(round(self.bytes / MB) - self.meter.count)


def check_room(folder: Path, needed: int, what: str) -> None:
    """Refuse before anything is written where ``needed`` bytes do not fit.

    Raises
    ------
    MissingComponent
        The disk has less room.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise MissingComponent(
            f"{what} needs {needed / MB:,.1f} MB in {folder}, where {free / MB:,.1f} MB are free.",
            f"Free {(needed - free) / MB:,.1f} MB there, or set SCMPT_HOME to a folder with room.",
        )
