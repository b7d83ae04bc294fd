"""Putting a complete folder where the encoders look, one process at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from scmpt_core.errors import MissingComponent


@contextmanager
def only_one(models: Path, name: str) -> Iterator[None]:
    """Hold ``name`` for this process; the system lets go of it when the process ends.

    Raises
    ------
    MissingComponent
        Another process installs it.
    """
    lock = FileLock(models / f".{name}.lock")
    try:
        lock.acquire(timeout=0.2)
    except Timeout:
        raise MissingComponent(
            f"Another process is installing {name} in {models}.",
            "Wait until it has ended, or stop it, and run the same command again.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def put_in_place(staged: Path, models: Path, name: str) -> None:
    """Rename ``staged`` to ``models / name``; what was there goes only then."""
    target, old = models / name, _replaced(models, name)
    if target.exists():
        old.parent.mkdir(exist_ok=True)
        os.replace(target, old)
    os.replace(staged, target)
    shutil.rmtree(old, ignore_errors=True)


def recover(models: Path, name: str) -> None:
    """Undo what a process that died between the two renames left behind."""
    target, old = models / name, _replaced(models, name)
    if old.exists() and not target.exists():
        os.replace(old, target)
    shutil.rmtree(old, ignore_errors=True)


def _replaced(models: Path, name: str) -> Path:
    return models / ".replaced" / name
