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


REMARK = "; "  # between a count and what was said about it
LEFT = " left"


def without_time_left(message: str) -> str:
    """A message of :class:`Meter` without what it says of the time left; its remarks stay."""
    counted, mark, remark = message.partition(REMARK)
    kept = [part for part in counted.split(", ") if not part.endswith(LEFT)]
    return ", ".join(kept) + mark + remark


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
        self.remark = REMARK + remark
        self.add(0)

    def skip(self, units: int) -> None:
        """Note ``units`` as finished before; they do not count into the rate."""
        self.start_count += units
        self.add(units)

    def inside(self, units: int) -> Progress:
        """For the work on the next ``units``, which reports its own 0…1 and remarks."""

        def report(fraction: float, message: str) -> None:
            _, mark, remark = message.partition(REMARK)
            self.remark = mark + remark if mark else self.remark
            self._show(self.count + fraction * units)

        return report

    def add(self, units: int) -> None:
        """Note ``units`` as finished and report."""
        self.count += units
        self._show(self.count)

    def _show(self, count: float) -> None:
        elapsed = time.monotonic() - self.start
        rate = (count - self.start_count) / elapsed if elapsed > 0 else 0.0
        message = f"{self.what}: {int(count):,} of {self.total:,} {self.unit}"
        if rate > 0:
            left = duration((self.total - count) / rate)
            pace = f"{rate:,.1f} {self.unit}/s" if rate >= 1 else f"{duration(1 / rate)} each"
            message += f", {pace}, {left}{LEFT}"
        self.progress(count / max(self.total, 1), message + self.remark)
