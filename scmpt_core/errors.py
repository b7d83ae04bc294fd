"""Errors that a user can put right. Anything else that is raised is a bug."""

from __future__ import annotations


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
