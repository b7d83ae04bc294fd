"""The queue: huey over SQLite. Only ids travel in it, each message signed."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huey import SqliteHuey
from huey.serializer import SignedSerializer

from scmpt_core.jobs.kinds import find_kind
from scmpt_core.jobs.records import Job, JobBook
from scmpt_core.library import Library


@dataclass(frozen=True)
class Queue:
    """huey, and the one task it knows."""

    huey: SqliteHuey
    put: Callable[[str], object]  # puts a job's id into the queue


def make_queue(home: Path, work: Callable[[str], None] | None = None) -> Queue:
    """The queue under ``home``; ``work(id)`` is what a worker does with a message.

    huey pickles its messages; the signature keeps out any that we did not write.
    """
    home.mkdir(parents=True, exist_ok=True)
    serializer = SignedSerializer(secret=_secret(home))
    huey = SqliteHuey(
        "scmpt", filename=str(home / "queue.sqlite"), serializer=serializer, results=False
    )

    def run_job(id: str) -> None:
        if work is None:
            raise RuntimeError("this process only puts jobs into the queue")
        work(id)

    return Queue(huey, huey.task(name="run_job")(run_job))


def submit(home: Path, owner: str, kind: str, settings: dict) -> Job:
    """Check the settings, note the job, queue it.

    Raises
    ------
    ScmptError
        The settings cannot be used; nothing was queued.
    """
    title = find_kind(kind).title(Library(home), owner, settings)
    job = JobBook(home).create(owner, kind, title, settings)
    queue = make_queue(home)
    queue.put(job.id)
    queue.huey.storage.close()
    return job


def _secret(home: Path) -> bytes:
    """A secret of this home folder, readable by its owner alone; the first to make one wins."""
    path = home / "queue.key"
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=home)  # readable by its owner alone
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        os.unlink(temporary)
    return path.read_bytes()
