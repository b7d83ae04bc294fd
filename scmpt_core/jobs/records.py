"""The record of each job: who, what, how far, what came out. It outlives pages and processes."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from scmpt_core.errors import SettingError
from scmpt_core.library.database import transaction

STATES = ("waiting", "running", "done", "failed", "stopped")
ACTIVE = ("waiting", "running")
MAX_ATTEMPTS = 3  # a job whose worker died this often is not tried again
MAX_WAITING = 20  # jobs of one owner
ALIVE = 10.0  # seconds; a worker that wrote no heartbeat for longer is gone


@dataclass(frozen=True)
class Job:
    """One job. Times are seconds since 1970."""

    id: str
    owner: str
    kind: str
    title: str
    settings: dict
    state: str
    fraction: float
    message: str
    seconds_left: float | None
    created: float
    started: float | None
    finished: float | None
    attempts: int
    stop: bool
    error: str | None
    hint: str | None
    result: dict | None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        return None if self.started is None else (self.finished or time.time()) - self.started


@dataclass(frozen=True)
class JobBook:
    """All records under one home folder. What a person asks names the owner."""

    home: Path

    def create(self, owner: str, kind: str, title: str, settings: dict) -> Job:
        """Note a job as waiting.

        Raises
        ------
        SettingError
            The owner has too many unfinished jobs.
        """
        waiting = len(self.active(owner))
        if waiting >= MAX_WAITING:
            raise SettingError(
                f"{waiting} of your jobs are unfinished; {MAX_WAITING} is the limit.",
                "Wait for one to finish, or stop one.",
            )
        id = secrets.token_hex(8)
        with transaction(self.home) as db:
            db.execute(
                "INSERT INTO jobs (id, owner, kind, title, settings, state, message, created) "
                "VALUES (?, ?, ?, ?, ?, 'waiting', 'waiting for its turn', ?)",
                (id, owner, kind, title, json.dumps(settings), time.time()),
            )
        self.log(id, "created")
        return self.get(owner, id)

    def get(self, owner: str, id: str) -> Job:
        """The job.

        Raises
        ------
        SettingError
            There is none, or it is another owner's; the two are not told apart.
        """
        found = self._rows("id = ? AND owner = ?", id, owner)
        if not found:
            raise SettingError(f"There is no job {id!r}.", "See the page Jobs.")
        return found[0]

    def list(self, owner: str, limit: int = 200) -> list[Job]:
        """The newest first."""
        return self._rows("owner = ? ORDER BY created DESC LIMIT ?", owner, limit)

    def active(self, owner: str) -> list[Job]:
        """Those that run or wait, in the order in which they will run."""
        return self._rows(
            "owner = ? AND state IN ('waiting', 'running') ORDER BY state, created", owner
        )

    def ahead(self, job: Job) -> int:
        """How many jobs of anybody stand before it."""
        with transaction(self.home) as db:
            row = db.execute(
                "SELECT COUNT(*) FROM jobs WHERE state = 'running' "
                "OR (state = 'waiting' AND created < ?)", (job.created,),
            ).fetchone()  # fmt: skip
        return int(row[0])

    def request_stop(self, owner: str, id: str) -> None:
        """Ask it to stop; a waiting job stops at once, a running one within two seconds."""
        self.get(owner, id)
        with transaction(self.home) as db:
            db.execute("UPDATE jobs SET stop = 1 WHERE id = ?", (id,))
            db.execute(
                "UPDATE jobs SET state = 'stopped', finished = ?, message = 'stopped' "
                "WHERE id = ? AND state = 'waiting'", (time.time(), id),
            )  # fmt: skip
        self.log(id, "asked to stop")

    def remove(self, owner: str, id: str) -> None:
        """Forget a finished job; its result stays.

        Raises
        ------
        SettingError
            It is not finished.
        """
        if self.get(owner, id).active:
            raise SettingError("The job is not finished.", "Stop it first.")
        with transaction(self.home) as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (id,))
            db.execute("DELETE FROM job_log WHERE job = ?", (id,))

    def log_of(self, owner: str, id: str) -> list[tuple[float, str]]:
        """(time, line) of everything that was noted."""
        self.get(owner, id)
        with transaction(self.home) as db:
            rows = db.execute("SELECT time, text FROM job_log WHERE job = ? ORDER BY rowid", (id,))
            return [(row["time"], row["text"]) for row in rows]

    # What the worker does; it serves every owner.

    def find(self, id: str) -> Job | None:
        """Any job."""
        return next(iter(self._rows("id = ?", id)), None)

    def start(self, id: str) -> bool:
        """Mark a waiting job as running; ``False`` when it is not waiting any more."""
        with transaction(self.home) as db:
            changed = db.execute(
                "UPDATE jobs SET state = 'running', started = ?, attempts = attempts + 1, "
                "message = 'starting', seconds_left = NULL WHERE id = ? AND state = 'waiting'",
                (time.time(), id),
            ).rowcount
        if changed:
            self.log(id, "started")
        return bool(changed)

    def report(self, id: str, fraction: float, message: str, seconds_left: float | None) -> None:
        """Note progress."""
        with transaction(self.home) as db:
            db.execute(
                "UPDATE jobs SET fraction = ?, message = ?, seconds_left = ? WHERE id = ?",
                (fraction, message, seconds_left, id),
            )

    def wants_stop(self, id: str) -> bool:
        """Whether somebody asked it to stop."""
        with transaction(self.home) as db:
            row = db.execute("SELECT stop FROM jobs WHERE id = ?", (id,)).fetchone()
        return row is None or bool(row["stop"])

    def finish(
        self, id: str, state: str, message: str, result: dict | None = None,
        error: str | None = None, hint: str | None = None,
    ) -> None:  # fmt: skip
        """Note the end; a job that has already ended stays as it is."""
        if state not in STATES or state in ACTIVE:
            raise ValueError(f"not an end: {state}")
        with transaction(self.home) as db:
            db.execute(
                "UPDATE jobs SET state = ?, message = ?, result = ?, error = ?, hint = ?, "
                "finished = ?, seconds_left = NULL, fraction = MAX(fraction, ?) "
                "WHERE id = ? AND state = 'running'",
                (state, message, json.dumps(result) if result else None, error, hint,
                 time.time(), float(state == "done"), id),
            )  # fmt: skip
        self.log(id, f"{state}: {message}")

    def log(self, id: str, text: str) -> None:
        """Add a line to its log."""
        with transaction(self.home) as db:
            db.execute("INSERT INTO job_log VALUES (?, ?, ?)", (id, time.time(), text))

    def requeue(self, id: str) -> None:
        """Its worker was stopped in good order: it waits again, and that is no failed attempt."""
        with transaction(self.home) as db:
            db.execute(
                "UPDATE jobs SET state = 'waiting', attempts = MAX(attempts - 1, 0), "
                "message = 'interrupted; it goes on when a worker runs again', "
                "seconds_left = NULL WHERE id = ? AND state = 'running'", (id,),
            )  # fmt: skip
        self.log(id, "interrupted: the worker was stopped")

    def recover(self) -> list[str]:
        """Put jobs whose worker died back in the queue; call it when no other worker is alive.

        Returns
        -------
        The ids to queue: those and every other one that waits, oldest first.
        """
        for job in self._rows("state = 'running'"):
            if job.stop:
                self.finish(job.id, "stopped", "stopped; its worker had died")
            elif job.attempts >= MAX_ATTEMPTS:
                self.finish(
                    job.id, "failed", "the worker died",
                    error=f"The worker died {job.attempts} times on this job.",
                    hint="It may need more memory than there is; try fewer cells.",
                )  # fmt: skip
            else:
                text = "its worker died; it goes on after its last finished part"
                with transaction(self.home) as db:
                    db.execute(
                        "UPDATE jobs SET state = 'waiting', message = ? WHERE id = ?",
                        (text, job.id),
                    )
                self.log(job.id, f"interrupted: {text}")
        return [job.id for job in self._rows("state = 'waiting' ORDER BY created")]

    def beat(self, pid: int) -> None:
        """A worker says that it is alive."""
        now = time.time()
        with transaction(self.home) as db:
            db.execute("DELETE FROM workers WHERE heartbeat < ?", (now - ALIVE,))
            db.execute("INSERT OR REPLACE INTO workers VALUES (?, ?)", (pid, now))

    def worker_alive(self) -> bool:
        """Whether any worker serves this home folder."""
        with transaction(self.home) as db:
            row = db.execute("SELECT MAX(heartbeat) FROM workers").fetchone()
        return row[0] is not None and time.time() - row[0] < ALIVE

    def _rows(self, where: str, *values: object) -> list[Job]:
        with transaction(self.home) as db:
            rows = db.execute(f"SELECT * FROM jobs WHERE {where}", values).fetchall()
        return [_job(row) for row in rows]


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    values["settings"] = json.loads(values["settings"])
    values["result"] = json.loads(values["result"]) if values["result"] else None
    values["stop"] = bool(values["stop"])
    return Job(**values)
