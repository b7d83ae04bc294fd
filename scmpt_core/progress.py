"""How long work reports on itself: ``progress(fraction, message)``.

Whoever calls may raise :class:`Cancelled` from inside the callback; long work lets it through
and leaves what is already written in a state from which the next run continues.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[float, str], None]


class Cancelled(Exception):
    """Raised by a progress callback to stop the work."""


def silent(fraction: float, message: str) -> None:
    """Report nothing."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Map the 0…1 of a step onto ``start``…``end`` of the whole."""

    def report(fraction: float, message: str) -> None:
        progress(start + (end - start) * fraction, message)

    return report


def duration(seconds: float) -> str:
    """Seconds as a person writes them: ``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Meter:
    """Counts finished units and says their rate and the time left.

    Parameters
    ----------
    done
        Units that were already there (resumed work); they do not count into the rate.
    """

    def __init__(self, progress: Progress, total: int, unit: str, what: str, done: int = 0) -> None:
        self.progress, self.total, self.unit, self.what = progress, total, unit, what
        self.start_count = self.count = done
        self.start = time.monotonic()
        self.remark = ""

    def say(self, remark: str) -> None:
        """Report ``remark`` now and behind every count from now on."""
        self.remark = f"; {remark}"
        self.add(0)

    def add(self, units: int) -> None:
        """Note ``units`` as finished and report."""
        self.count += units
        elapsed = time.monotonic() - self.start
        rate = (self.count - self.start_count) / elapsed if elapsed > 0 else 0.0
        message = f"{self.what}: {self.count:,} of {self.total:,} {self.unit}"
        if rate > 0:
            left = duration((self.total - self.count) / rate)
            message += f", {rate:,.1f} {self.unit}/s, {left} left"
        self.progress(self.count / max(self.total, 1), message + self.remark)
