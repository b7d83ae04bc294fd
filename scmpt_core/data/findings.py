"""What was found in a file: one record a finding."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """One thing found in a file.

    Parameters
    ----------
    severity
        ``error``: the file cannot be used as it is; ``warning``: results may suffer; ``info``.
    code
        Stable name, for scripts.
    count
        How many cells, genes or values it concerns.
    message, hint
        What was found, with its numbers; what to do about it.
    remedy
        The fields of :class:`~scmpt_core.data.view.View` that put it right, where there are any.
    """

    severity: Severity
    code: str
    count: int
    message: str
    hint: str = ""
    remedy: dict | None = None

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


def error(code: str, count: int, message: str, hint: str, remedy: dict | None = None) -> Finding:
    """A finding that makes the file unusable; it always says what to do."""
    return Finding("error", code, int(count), message, hint, remedy)


def warning(
    code: str, count: int, message: str, hint: str = "", remedy: dict | None = None
) -> Finding:
    """A finding that may make results worse."""
    return Finding("warning", code, int(count), message, hint, remedy)


def info(code: str, count: int, message: str, hint: str = "") -> Finding:
    """A finding that is good to know."""
    return Finding("info", code, int(count), message, hint)
