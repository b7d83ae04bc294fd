"""A job that explains cells: stopped in the middle, it goes on after its last explanation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scmpt_core.attribution import get_method, load_attribution
from scmpt_core.attribution.judged import load_yardsticks
from scmpt_core.jobs import JobBook, execute, submit
from scmpt_core.library import LOCAL, Library
from tests.pages.homes import home_with_model
from tests.pages.test_classify import _model


@pytest.fixture
def settings(tmp_path, monkeypatch):
    home = home_with_model(tmp_path, _model, 20)
    monkeypatch.setenv("SCMPT_HOME", str(home))
    library = Library(home)
    (data,), (model,) = (library.list(LOCAL, kind) for kind in ("dataset", "model"))
    return home, {
        "dataset": data.id, "view": data.meta["view"], "model": model.id, "label": "cell_type",
        "methods": ["occlusion"], "types": None, "cells": 3, "seeds": 1, "options": {},
    }  # fmt: skip


def test_a_stopped_job_goes_on_after_its_last_explanation(settings, monkeypatch):
    home, wanted = settings
    asked, explain = [], get_method("occlusion").explain

    def counted(subject, target, options, seed):
        asked.append(str(subject.cell.ids[0]))
        if len(asked) == 5:
            JobBook(home).request_stop(LOCAL, job.id)  # as the button on the page does
        return explain(subject, target, options, seed)

    counting = replace(get_method("occlusion"), explain=counted)
    monkeypatch.setattr("scmpt_core.attribution.run.get_method", lambda name: counting)
    monkeypatch.setitem(execute.__globals__, "EVERY", 0)  # looks each time: toy cells take none
    job = submit(home, LOCAL, "attribute", wanted)
    execute(home, job.id)
    assert JobBook(home).get(LOCAL, job.id).state == "stopped"
    assert 5 <= len(asked) < 9
    again = submit(home, LOCAL, "attribute", wanted)
    execute(home, again.id)
    done = JobBook(home).get(LOCAL, again.id)
    assert done.state == "done", done.error
    assert len(set(asked)) == 9
    assert len(asked) <= 10  # at most the one that the stop cut off is explained twice
    folder = Library(home).get(LOCAL, "attribution", again.id).folder
    assert len(load_attribution(folder).ids) == 9
    assert load_yardsticks(folder).cells == 60
