"""The button on Compare that forecasts which model will win."""

from __future__ import annotations

import importlib

import pytest

from tests.conftest import toy
from tests.forecast.planted import record_of
from tests.pages import test_pages as pages
from tests.pages.test_pages import go, open_path, texts

app = pages.app
module = importlib.import_module("scmpt_core.forecast.forecast")
made = importlib.import_module("scmpt_core.ui.compare.forecast")


@pytest.fixture
def counted(monkeypatch):
    """How often a forecast was made; none has a record."""
    calls = []
    plain = made.verbs.forecast_task
    monkeypatch.setattr(
        made.verbs, "forecast_task", lambda *a, **k: calls.append(k) or plain(*a, **k)
    )
    monkeypatch.setattr(module, "read_record", lambda: None)
    return calls


@pytest.fixture
def ready(app, write):
    """Compare, open on toy cells, with two encoders chosen."""
    open_path(app.run(), write(toy()))
    go(app, "compare")
    app.multiselect(key="encoders").set_value(["scgpt-mini", "pca"]).run()
    return app


def tables(app):
    return {column for d in app.dataframe for column in d.value.columns}


def pressed(app):
    app.button(key="forecast").click().run()
    assert not app.exception
    return app


def test_it_is_made_once_and_says_what_it_rests_on(ready, counted):
    assert "about" in ready.button(key="forecast").label
    pressed(ready)
    assert "**Forecast:**" in texts(ready.markdown)
    assert "not yet held against training" in texts(ready.markdown)
    assert {"row", "LogME"} <= tables(ready)
    lines = ready.table[0].value
    assert lines.index.name == "of the cells"
    assert lines.loc["smallest class"].item().replace("\\", "") == "B: 40 cells"
    assert "forecast" not in [b.key for b in ready.button]  # it is there
    assert "120 cells resampled" in texts(ready.caption)
    ready.radio(key="effort").set_value("paper").run()  # no part of what is forecast
    assert "**Forecast:**" in texts(ready.markdown)
    assert len(counted) == 1


def test_other_settings_are_another_forecast(ready, counted):
    pressed(ready)
    ready.multiselect(key="encoders").set_value(["pca"]).run()
    assert "**Forecast:**" not in texts(ready.markdown)
    assert "forecast" not in [b.key for b in ready.button]  # one row has no rival
    ready.multiselect(key="encoders").set_value(["scgpt-mini", "pca"]).run()
    assert "**Forecast:**" in texts(ready.markdown)
    ready.radio(key="long_cells").set_value("highest").run()
    pressed(ready)
    assert [k["options"].long_cells for k in counted] == ["random", "highest"]


def test_a_record_is_shown_with_what_it_is_worth(ready, counted, monkeypatch):
    monkeypatch.setattr(module, "read_record", lambda: record_of((1, 4), (12, 1)))
    pressed(ready)
    assert "no better than “always pca”" in texts(ready.markdown)
    assert "it was better than “always the fused model”" in texts(ready.markdown)
    assert "stated probability" in tables(ready)
    assert "Brier score 0.100" in texts(ready.caption)
