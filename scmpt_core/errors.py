"""Errors that a user can put right. Anything else that is raised is a bug."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile


class ScmptError(Exception):
    """A problem the user can put right.

    Parameters
    ----------
    message
        What is wrong, with the offending value and the limit.
    hint
        The next step, as an instruction.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class FileRefused(ScmptError):
    """The file is missing, of an unknown kind, damaged, or not safe to open."""


class DataError(ScmptError):
    """The file opens, but its contents cannot be used."""


class MissingComponent(ScmptError):
    """Weights or a package that are not on this machine."""


class ModelError(ScmptError):
    """A saved model is damaged, or does not fit the cells."""


class SettingError(ScmptError):
    """An option, argument or environment variable with a value that cannot be used."""


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Around reading a result from disk: what is missing or of another shape is damaged.

    Parameters
    ----------
    what
        Such as "The comparison".

    Raises
    ------
    ModelError
        It is.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ModelError(f"{what} is damaged: {error}", "Run it again.") from error


def check_format(what: str, found: object, known: int) -> None:
    """Refuse a result that another version wrote.

    Raises
    ------
    ModelError
        The formats differ.
    """
    if found != known:
        raise ModelError(f"{what} has format {found}; this version reads {known}.", "Run it again.")
