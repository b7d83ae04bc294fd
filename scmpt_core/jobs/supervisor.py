"""Starts the pages and the worker, and starts the worker again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUICK = 30.0  # a worker that lived shorter than this counts as failing
MAX_QUICK = 5


def serve_app(host: str, port: int, say: Callable[[str], None]) -> int:
    """Serve until the pages end or somebody interrupts; returns the exit code of the pages.

    Both run in sessions of their own, so that Ctrl-C reaches this process alone and the end is
    orderly: a running job is interrupted, and goes on with the next start.
    """
    # a shell may have set SIGINT to be ignored; SIGHUP comes when a terminal is closed
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    pages = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", host,
         "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    worker, began, quick = _worker(), time.monotonic(), 0
    try:
        while pages.poll() is None:
            time.sleep(0.2)
            if worker is None or worker.poll() is None:
                continue
            quick = quick + 1 if time.monotonic() - began < QUICK else 1
            if quick >= MAX_QUICK:
                say(f"The worker ended {quick} times in a row; jobs will wait. See above for why.")
                worker = None
                continue
            say(f"The worker ended (exit {worker.returncode}) and is started again.")
            time.sleep(min(2.0**quick, 15))
            worker, began = _worker(), time.monotonic()
        return pages.returncode
    except KeyboardInterrupt:
        return 0
    finally:
        for process, how in ((pages, signal.SIGTERM), (worker, signal.SIGINT)):
            if process is not None and process.poll() is None:
                process.send_signal(how)
        for process in (pages, worker):
            if process is not None:
                _end(process)


def _worker() -> subprocess.Popen:
    command = [sys.executable, "-m", "scmpt_core", "worker", "--parent", str(os.getpid())]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)


def _end(process: subprocess.Popen) -> None:
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
