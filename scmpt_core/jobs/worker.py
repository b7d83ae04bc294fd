"""The worker: takes one job at a time from the queue and runs it in a process of its own.

A process of its own gives the memory back after each job, can be stopped at any moment, and takes
nothing with it when it dies. One worker serves a home folder; a second one refuses to start.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from filelock import FileLock, Timeout

from scmpt_core.errors import SettingError
from scmpt_core.jobs.execute import execute
from scmpt_core.jobs.queue import make_queue
from scmpt_core.jobs.records import JobBook
from scmpt_core.library import Library

log = logging.getLogger(__name__)
POLL = 0.2  # seconds between two looks at a running job
GRACE = 1.2  # seconds that a job has to stop by itself
SETTLE = 0.6  # seconds until the worker knows of a signal that its job has had
BEAT = 2.0  # seconds between two signs of life
SWEEP = 24 * 3600.0  # seconds between two removals of what was deleted long ago
HEAVY = ["scmpt_core.jobs.execute", "scanpy", "sentence_transformers", "umap"]


def _context() -> BaseContext:
    """Processes that start at once where that is safe: forked from one that has imported all.

    On macOS, forking after the frameworks are loaded can crash; Windows cannot fork.
    """
    if sys.platform.startswith("linux"):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(HEAVY)
        return context
    return multiprocessing.get_context("spawn")


def run_apart(home: Path, id: str, context: BaseContext, stopping: Callable[[], bool]) -> None:
    """Run a job in a process of its own; see that it ends soon after it was asked to stop.

    When the worker itself is ``stopping``, the job is cut short and waits for the next worker.
    """
    book = JobBook(home)
    process = context.Process(target=_child, args=(home, id), daemon=True)
    process.start()
    try:
        asked = _watch(book, id, process, stopping)
    finally:
        process.kill()  # whatever went wrong here, it must not run on beside the next job
        process.join()
    if process.exitcode != 0 and not asked:
        time.sleep(SETTLE)  # a signal to the whole group reaches the job before the worker
    if stopping():
        book.requeue(id)
    elif asked:
        book.finish(id, "stopped", "stopped; what was computed is kept for the next run")
    elif process.exitcode != 0:
        book.finish(
            id, "failed", "its process died",
            error=f"The job's process died (exit {process.exitcode}).",
            hint="Most often memory ran out (exit -9): try fewer cells, or a machine with more.",
        )  # fmt: skip


def _watch(book: JobBook, id: str, process: BaseProcess, stopping: Callable[[], bool]) -> bool:
    """Wait for the process, or end it; whether somebody asked the job to stop."""
    asked: float | None = None
    while process.is_alive() and not stopping():
        process.join(POLL)
        if asked is None and book.wants_stop(id):
            asked = time.monotonic()
        if asked is not None and time.monotonic() - asked > GRACE:
            break
    return asked is not None


def _child(home: Path, id: str) -> None:
    """What runs in the job's process; it ends when the worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    execute(home, id)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def serve(home: Path, parent: int | None = None) -> None:
    """Serve the queue until interrupted, or until the process ``parent`` has ended.

    Raises
    ------
    SettingError
        Another worker serves this home folder.
    """
    # a shell's background job starts with SIGINT ignored; huey's own handlers come later
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "worker.lock")
    try:
        lock.acquire(timeout=1)
    except Timeout:
        raise SettingError(
            f"Another worker serves {home}.", "Stop it, or set SCMPT_HOME to another folder."
        ) from None
    with lock:
        book, context = JobBook(home), _context()
        busy = threading.Lock()

        def work(id: str) -> None:
            with busy:
                run_apart(home, id, context, lambda: consumer.stop_flag.is_set())

        queue = make_queue(home, work)
        queue.huey.flush()  # the records say what waits; messages of a dead worker may be gone
        for id in book.recover():
            queue.put(id)
        threading.Thread(target=_beat, args=(home, parent), daemon=True).start()
        _warm(context)
        consumer = queue.huey.create_consumer(
            workers=1, periodic=False, initial_delay=0.1, max_delay=0.5, graceful_signal="TERM"
        )
        consumer.run()
        busy.acquire(timeout=10)  # the running job is put back into the queue before the end


def _beat(home: Path, parent: int | None) -> None:
    """Signs of life, and once a day the removal of what was deleted long ago."""
    swept = -SWEEP
    while parent is None or os.getppid() == parent:
        try:
            JobBook(home).beat(os.getpid())
            if time.monotonic() - swept > SWEEP:
                swept = time.monotonic()
                Library(home).purge()
        except (OSError, sqlite3.Error):
            log.exception("no sign of life could be written; trying again")
        time.sleep(BEAT)
    os.kill(os.getpid(), signal.SIGINT)


def _warm(context: BaseContext) -> None:
    """Start the process that later ones are forked from, so that the first job starts at once."""
    process = context.Process(target=os.getpid)
    process.start()
