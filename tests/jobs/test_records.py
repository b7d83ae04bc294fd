"""Records and items: owners see their own, ends are ends, a dead worker's job comes back."""

from __future__ import annotations

import pytest

from scmpt_core.errors import SettingError
from scmpt_core.jobs import JobBook, submit
from scmpt_core.jobs.kinds import KINDS, find_kind
from scmpt_core.jobs.queue import make_queue
from scmpt_core.jobs.records import MAX_ATTEMPTS, MAX_WAITING


@pytest.fixture
def book(home):
    return JobBook(home)


def test_another_owner_sees_nothing(book):
    job = book.create("ann", "map", "a map", {})
    assert book.list("bob") == [] == book.active("bob")
    for call in (book.get, book.request_stop, book.remove, book.log_of):
        with pytest.raises(SettingError, match="There is no job"):
            call("bob", job.id)
    assert book.get("ann", job.id).state == "waiting"


def test_a_waiting_job_stops_at_once_and_never_starts(book):
    job = book.create("ann", "map", "a map", {})
    book.request_stop("ann", job.id)
    assert book.get("ann", job.id).state == "stopped"
    assert not book.start(job.id)


def test_an_end_is_final(book):
    job = book.create("ann", "map", "a map", {})
    book.start(job.id)
    book.finish(job.id, "done", "done", {"page": "dataset"})
    book.finish(job.id, "failed", "late", error="late")
    job = book.get("ann", job.id)
    assert (job.state, job.fraction, job.error) == ("done", 1.0, None)
    with pytest.raises(ValueError, match="not an end"):
        book.finish(job.id, "waiting", "?")


def test_recovery_queues_what_a_dead_worker_left_in_order(book):
    first, second = (book.create("ann", "map", t, {}) for t in ("first", "second"))
    book.start(first.id)
    assert book.recover() == [first.id, second.id]
    assert "worker died" in book.get("ann", first.id).message
    assert any("interrupted" in line for _, line in book.log_of("ann", first.id))


def test_a_job_that_kills_its_worker_is_given_up(book):
    job = book.create("ann", "map", "a map", {})
    for _ in range(MAX_ATTEMPTS):
        book.start(job.id)
        queued = book.recover()
    assert queued == []
    assert book.get("ann", job.id).state == "failed"
    assert "memory" in book.get("ann", job.id).hint


def test_orderly_stops_are_no_attempts(book):
    job = book.create("ann", "map", "a map", {})
    for _ in range(MAX_ATTEMPTS + 2):
        assert book.start(job.id)
        book.requeue(job.id)
    assert book.get("ann", job.id).state == "waiting"
    assert book.get("ann", job.id).attempts == 0
    assert book.recover() == [job.id]


def test_a_stop_asked_for_while_the_worker_died_holds(book):
    job = book.create("ann", "map", "a map", {})
    book.start(job.id)
    book.request_stop("ann", job.id)
    assert book.recover() == []
    assert book.get("ann", job.id).state == "stopped"


def test_an_unfinished_job_is_not_removed(book):
    job = book.create("ann", "map", "a map", {})
    with pytest.raises(SettingError, match="not finished"):
        book.remove("ann", job.id)


def test_one_owner_cannot_fill_the_queue(book):
    for _ in range(MAX_WAITING):
        book.create("ann", "map", "a map", {})
    with pytest.raises(SettingError, match="unfinished"):
        book.create("ann", "map", "one more", {})
    book.create("bob", "map", "bob's", {})


def test_positions_in_the_queue(book):
    jobs = [book.create("ann", "map", str(i), {}) for i in range(3)]
    book.start(jobs[0].id)
    assert [book.ahead(book.get("ann", j.id)) for j in jobs[1:]] == [1, 2]


def test_only_our_own_messages_are_read(home):
    """huey pickles; a message without our signature must not be unpickled."""
    queue = make_queue(home)
    queue.put("abc")
    with pytest.raises(ValueError, match=r"Sep|Sig"):
        queue.huey.serializer.deserialize(b"cos\nsystem\n(S'true'\ntR.")
    assert (home / "queue.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_every_kind_refuses_what_is_not_the_owners(home, kind):
    settings = {"dataset": "nope", "model": "nope", "encoders": ["pca"], "effort": "quick"}
    settings |= {"group": None}
    with pytest.raises(SettingError, match="There is no"):
        submit(home, "ann", kind.name, settings | {"label": "x"})
    assert JobBook(home).list("ann") == []
    assert kind.summary


def test_unknown_kinds_are_named():
    with pytest.raises(SettingError, match="compare"):
        find_kind("nope")


def test_worker_alive(book):
    assert not book.worker_alive()
    book.beat(1234)
    assert book.worker_alive()
