"""One job, run in the process that calls: from its record to its result."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from pathlib import Path

from scmpt_core import __version__
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import ScmptError
from scmpt_core.jobs.kinds import Context, find_kind
from scmpt_core.jobs.records import Job, JobBook
from scmpt_core.library import SCRATCH, Library, noting
from scmpt_core.progress import Cancelled
from scmpt_core.settings import get_settings

EVERY = 0.25  # seconds between two looks at the record

log = logging.getLogger(__name__)


class Recorder:
    """Progress that goes into the record, and hears there whether to stop."""

    def __init__(self, book: JobBook, id: str) -> None:
        self.book, self.id = book, id
        self.last, self.step = 0.0, ""
        self.first: tuple[float, float] | None = None

    def __call__(self, fraction: float, message: str) -> None:
        now = time.monotonic()
        step = message.split(":")[0].split(",")[0]
        if step != self.step:
            self.book.log(self.id, message)
            self.step = step
        elif now - self.last < EVERY and fraction < 1:
            return
        self.last = now
        if self.first is None:
            self.first = (now, fraction)  # resumed work starts above 0
        self.book.report(self.id, fraction, message, self._left(now, fraction))
        if self.book.wants_stop(self.id):
            raise Cancelled

    def _left(self, now: float, fraction: float) -> float | None:
        began, start = self.first or (now, fraction)
        if now - began < 2 or fraction - start < 0.01:
            return None
        return (now - began) / (fraction - start) * (1 - fraction)


def scratch_of(home: Path, job: Job) -> Path:
    """One folder for equal work of one owner: a stopped job's parts serve the next one."""
    what = [__version__, job.owner, job.kind, job.settings]
    digest = hashlib.blake2b(json.dumps(what, sort_keys=True).encode(), digest_size=10)
    return home / SCRATCH / digest.hexdigest()


def execute(home: Path, id: str) -> None:
    """Run a waiting job to its end and note it; a job that does not wait is left alone."""
    book = JobBook(home)
    if not book.start(id):
        return
    job = book.find(id)
    if job is None:
        return
    try:
        device = choose_device(get_settings())
        context = Context(
            job=job,
            library=Library(home),
            store=EmbeddingStore(home / "embeddings", noting(home, device.name)),
            device=device,
            progress=Recorder(book, id),
            scratch=scratch_of(home, job),
        )
        book.log(id, f"device: {context.device.reason}")
        result = find_kind(job.kind).run(context)
        book.finish(id, "done", "done", result)
    except Cancelled:
        book.finish(id, "stopped", "stopped; what was computed is kept for the next run")
    except ScmptError as error:
        book.finish(id, "failed", error.message, error=error.message, hint=error.hint)
    except Exception as error:
        log.exception("job %s failed", id)
        book.finish(
            id, "failed", "an error in scMPT", error=f"{type(error).__name__}: {error}",
            hint="This is a bug; the traceback is in the worker's log.",
        )  # fmt: skip
