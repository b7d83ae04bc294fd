"""The one SQLite file under the home folder: items, jobs, measured rates."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

FILE = "scmpt.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL, deleted REAL, bytes INTEGER NOT NULL, meta TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS items_of ON items (owner, kind, deleted);
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
    settings TEXT NOT NULL, state TEXT NOT NULL, fraction REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', seconds_left REAL, created REAL NOT NULL, started REAL,
    finished REAL, attempts INTEGER NOT NULL DEFAULT 0, stop INTEGER NOT NULL DEFAULT 0,
    error TEXT, hint TEXT, result TEXT
);
CREATE INDEX IF NOT EXISTS jobs_of ON jobs (owner, created);
CREATE TABLE IF NOT EXISTS job_log (job TEXT NOT NULL, time REAL NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS log_of ON job_log (job);
CREATE TABLE IF NOT EXISTS rates (name TEXT PRIMARY KEY, value REAL NOT NULL, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS workers (pid INTEGER PRIMARY KEY, heartbeat REAL NOT NULL);
"""

_READY: set[Path] = set()  # databases whose tables this process has seen made


@contextmanager
def transaction(home: Path) -> Iterator[sqlite3.Connection]:
    """A connection of one's own, committed at the end, rolled back on an exception.

    Write-ahead logging lets pages read while the worker writes; a writer waits up to 10 s.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / FILE
    ready = path in _READY and path.exists()
    connection = sqlite3.connect(path, timeout=10)
    try:
        connection.row_factory = sqlite3.Row
        if not ready:
            with FileLock(path.with_suffix(".lock")):  # the switch to WAL does not wait by itself
                connection.execute("PRAGMA journal_mode=WAL")
                connection.executescript(SCHEMA)
                path.chmod(0o600)
            _READY.add(path)
        connection.execute("PRAGMA synchronous=NORMAL")
        with connection:
            yield connection
    finally:
        connection.close()
