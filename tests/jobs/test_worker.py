"""A real worker in a process of its own: stopped within two seconds, killed and continued."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scmpt_core.evaluation import load_stored
from scmpt_core.jobs import JobBook, execute, submit
from scmpt_core.library import LOCAL, SCRATCH, Library, add_dataset, map_of
from tests.conftest import toy

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Numbers are not looked at here, only what happens to jobs."""
    monkeypatch.setenv("SCMPT_DTYPE", "auto")


@pytest.fixture
def start(home):
    """Start a worker on the test's home; killed at the end."""
    started = []

    def run() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "scmpt_core", "worker"], cwd=ROOT, start_new_session=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait(home, id, until, seconds=300):
    book, end = JobBook(home), time.monotonic() + seconds
    while time.monotonic() < end:
        job = book.get(LOCAL, id)
        if until(job):
            return job
        time.sleep(0.05)
    raise AssertionError(f"still {job.state} at {job.fraction:.0%}: {job.message}")


def below(pid):
    """Every process under ``pid``, the deepest first."""
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc to find a job's process")
    stats = [p.read_text().rsplit(")", 1) for p in Path("/proc").glob("[0-9]*/stat")]
    children = [int(head.split()[0]) for head, tail in stats if int(tail.split()[1]) == pid]
    return [deeper for child in children for deeper in below(child)] + children


def compare_settings(item, encoders=("pca",), seeds=1):
    return {
        "dataset": item.id, "label": "cell_type", "group": None, "encoders": list(encoders),
        "splits": seeds, "effort": "quick", "heads": [], "baselines": ["majority"],
        "view": item.meta["view"],
    }  # fmt: skip


def many(home, write, n=200):
    """Cells enough for several chunks."""
    return add_dataset(Library(home), LOCAL, write(toy(n)))


def test_execute_in_this_process(home, write):
    library = Library(home)
    item = add_dataset(library, LOCAL, write(toy()))
    job = submit(home, LOCAL, "compare", compare_settings(item))
    execute(home, job.id)
    job = JobBook(home).get(LOCAL, job.id)
    assert job.state == "done", job.error
    kept = library.get(LOCAL, "comparison", job.result["item"])
    stored = load_stored(kept.folder)
    assert kept.meta["best"] == stored.best["name"] == "pca+mlp"
    assert stored.maps["pca"].shape == (120, 2)
    assert not list((home / SCRATCH).iterdir())
    execute(home, job.id)  # a second message for a finished job does nothing
    assert JobBook(home).get(LOCAL, job.id).attempts == 1


def test_a_users_error_ends_in_its_message(home, write):
    item = add_dataset(Library(home), LOCAL, write(toy()))
    job = submit(home, LOCAL, "compare", compare_settings(item) | {"label": "nope"})
    execute(home, job.id)
    job = JobBook(home).get(LOCAL, job.id)
    assert job.state == "failed"
    assert "There is no column 'nope'" in job.error
    assert job.hint


def test_a_bug_is_told_apart_and_logged(home, write, monkeypatch, caplog):
    item = add_dataset(Library(home), LOCAL, write(toy()))
    job = submit(home, LOCAL, "map", {"dataset": item.id})
    monkeypatch.setattr("scmpt_core.jobs.kinds.map.umap_of", lambda x: 1 / 0)
    execute(home, job.id)
    job = JobBook(home).get(LOCAL, job.id)
    assert (job.state, job.error) == ("failed", "ZeroDivisionError: division by zero")
    assert "ZeroDivisionError" in caplog.text


def test_a_running_job_stops_within_two_seconds(home, write, start):
    item = many(home, write)
    start()
    job = submit(home, LOCAL, "compare", compare_settings(item, ["minilm"]))
    wait(home, job.id, lambda j: "minilm: " in j.message)
    asked = time.time()
    JobBook(home).request_stop(LOCAL, job.id)
    job = wait(home, job.id, lambda j: not j.active, 20)
    assert job.state == "stopped"
    assert job.finished - asked < 2.5  # two seconds, and what a busy machine adds
    assert Library(home).list(LOCAL, "comparison") == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "stopped"])
def test_a_dead_workers_job_is_marked_and_goes_on(home, write, start, how):
    item = many(home, write)
    worker = start()
    job = submit(home, LOCAL, "compare", compare_settings(item, ["minilm"]))
    wait(home, job.id, lambda j: len(list((home / "embeddings").rglob("minilm-*/*.npy"))) >= 2)
    os.kill(worker.pid, how)
    worker.wait(timeout=20)
    chunks = set((home / "embeddings").rglob("minilm-*/*.npy"))
    times = {file: file.stat().st_mtime_ns for file in chunks}
    assert len(chunks) >= 2
    time.sleep(1)  # the job's own process ends with its worker
    start()
    attempts = 2 if how == signal.SIGKILL else 1  # an orderly stop is no failed attempt
    wait(home, job.id, lambda j: j.attempts == attempts and j.state == "running", 60)
    assert any("interrupted" in line for _, line in JobBook(home).log_of(LOCAL, job.id))
    wait(home, job.id, lambda j: j.message.startswith("split 1"))
    assert all(file.stat().st_mtime_ns == times[file] for file in chunks)  # none made twice


def test_a_job_whose_process_dies_is_failed_and_the_worker_lives(home, write, start):
    item = many(home, write)
    worker = start()
    job = submit(home, LOCAL, "compare", compare_settings(item, ["minilm"]))
    wait(home, job.id, lambda j: "minilm: " in j.message)
    for pid in below(worker.pid):
        os.kill(pid, signal.SIGKILL)
    job = wait(home, job.id, lambda j: not j.active, 30)
    assert job.state == "failed"
    assert "died" in job.error


def test_jobs_run_one_after_the_other(home, write, start):
    item = many(home, write, 60)
    jobs = [submit(home, LOCAL, "map", {"dataset": item.id}) for _ in range(2)]
    start()
    first, second = (wait(home, j.id, lambda j: j.state == "done") for j in jobs)
    assert first.finished <= second.started
    assert map_of(item).shape == (180, 2)


def test_a_setting_that_cannot_be_used_ends_in_its_message(home, write, monkeypatch):
    item = add_dataset(Library(home), LOCAL, write(toy()))
    job = submit(home, LOCAL, "map", {"dataset": item.id})
    monkeypatch.setenv("SCMPT_DTYPE", "float7")
    execute(home, job.id)
    job = JobBook(home).get(LOCAL, job.id)
    assert job.state == "failed"
    assert "SCMPT_DTYPE" in job.error
