"""Each page with AppTest: empty, demo, bad file, missing model, and jobs run to their end.

AppTest has no worker: a test runs the queued job itself, as the worker would.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scmpt_core.jobs import JobBook, execute
from scmpt_core.library import LOCAL, Library, add_dataset
from tests.conftest import toy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app():
    import streamlit as st

    st.cache_resource.clear()
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)


def texts(elements):
    return " ".join(e.value for e in elements)


def button(app, label):
    return next(b for b in app.button if b.label == label)


def go(app, page):
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def open_path(app, path):
    go(app, "dataset")
    app.text_input(key="typed_path").set_value(str(path))
    button(app, "Open the path").click().run()
    assert not app.exception
    return app


def work(home):
    """What the worker does: run everything that waits."""
    book = JobBook(home)
    for job in reversed(book.list(LOCAL)):
        if job.state == "waiting":
            execute(home, job.id)
    return book.list(LOCAL)


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        ("dataset", "Open demo cells"),
        ("compare", "No cells are open yet"),
        ("jobs", "No job has run yet"),
    ],
)
def test_empty_pages_say_what_to_do(app, page, hint):
    go(app.run(), page)
    assert hint in texts(app.info)


def test_demo_in_one_click(app):
    go(app.run(), "dataset").button(key="demo").click().run()
    assert not app.exception
    assert [m.value for m in app.metric] == ["700", "765", "raw", "log"]
    assert "Ready to use" in texts(app.success)


def test_upload_is_kept_once_and_the_widget_let_go(app, home):
    data = io.BytesIO()
    toy().to_df().to_csv(data)
    go(app.run(), "dataset")
    for _ in range(2):
        app.file_uploader[0].set_value(("cells.csv", data.getvalue(), "text/csv")).run()
        assert not app.exception
    assert [m.value for m in app.metric][:2] == ["120", "30"]
    assert len(Library(home).list(LOCAL, "dataset")) == 1
    assert app.file_uploader[0].value is None


def test_a_bad_upload_is_refused_and_nothing_is_kept(app, home):
    go(app.run(), "dataset")
    app.file_uploader[0].set_value(("bad.h5ad", b"not HDF5", "application/x")).run()
    assert not app.exception
    assert "is not an HDF5 file" in texts(app.error)
    assert Library(home).list(LOCAL, "dataset") == []
    assert not list((home / "items").rglob("*.h5ad"))


def test_hostile_file_is_refused_on_the_page(app, tmp_path):
    path = tmp_path / "bad.h5ad"
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink("/etc/passwd", "/x")
    open_path(app.run(), path)
    assert "external link" in texts(app.error)
    assert not app.metric


def test_an_error_is_put_right_by_its_button_and_undone(app, write):
    adata = toy()
    adata.raw = adata
    adata.X = adata.X.toarray() - 3
    del adata.raw
    adata.layers["counts"] = toy().X
    adata.var["probe"] = adata.var_names.to_numpy()
    adata.var_names = [f"probe{i}" for i in range(adata.n_vars)]
    open_path(app.run(), write(adata))
    assert "cannot be used" in texts(app.error)
    app.button(key="remedy_genes_unknown_0").click().run()
    assert not app.exception
    assert "Ready to use" in texts(app.success)
    button(app, "Undo the last choice").click().run()
    assert "cannot be used" in texts(app.error)


def test_thresholds_leave_cells_out_and_say_so(app, write, home):
    open_path(app.run(), write(toy()))
    app.session_state["part"] = "Distributions"
    app.run()
    assert not app.exception
    low = next(s for s in app.slider if "Genes per cell" in s.label)
    low.set_value((25, low.max)).run()
    button(app, "Leave the others out").click().run()
    assert not app.exception
    item = Library(home).list(LOCAL, "dataset")[0]
    assert item.meta["view"]["min_genes"] == 25
    counts = np.diff(toy().X.tocsr().indptr)
    assert app.metric[0].value == str((counts >= 25).sum())


@pytest.mark.parametrize("part", ["Distributions", "Labels", "Map", "Cells"])
def test_every_tab_of_a_dataset(app, part):
    go(app.run(), "dataset").button(key="demo").click().run()
    app.session_state["part"] = part
    app.run()
    assert not app.exception


def test_names_are_written_on_a_map_only_when_asked_for(app):
    go(app.run(), "dataset").button(key="demo").click().run()
    app.session_state["part"] = "Map"
    app.run()

    def written():
        drawn = next(c for c in app.get("plotly_chart") if c.key == "map")
        return json.loads(drawn.proto.spec)["layout"].get("annotations", [])

    assert written() == []
    app.toggle(key="map_names").set_value(True).run()
    assert len(written()) == 10  # types of the demo


def test_the_start_page_leads_to_every_step(app):
    app.run()
    pages = {link.proto.page for link in app.get("page_link")}
    assert {"dataset", "compare", "classify", "attribution"} <= pages


def test_a_map_is_computed_as_a_job(app, write, home):
    open_path(app.run(), write(toy()))
    app.session_state["part"] = "Map"
    app.run()
    app.button(key="umap").click().run()
    assert [j.state for j in work(home)] == ["done"]
    app.run()
    assert "computed from 50 principal components" in texts(app.caption)


def test_delete_and_undo(app, write, home):
    open_path(app.run(), write(toy()))
    item = Library(home).list(LOCAL, "dataset")[0]
    app.button(key=f"delete_{item.id}").click().run()
    assert "No cells are open" in texts(app.info)
    app.button(key=f"restore_{item.id}").click().run()
    assert app.metric[0].value == "120"


def test_another_owners_items_do_not_show(app, write, home):
    add_dataset(Library(home), "somebody else", write(toy()))
    go(app.run(), "dataset")
    assert "No cells are open" in texts(app.info)
    assert not app.metric


def test_strangers_on_a_shared_server_do_not_see_each_other(app, write, home, monkeypatch):
    add_dataset(Library(home), LOCAL, write(toy()))
    monkeypatch.setenv("SCMPT_LOCAL", "false")
    go(app.run(), "dataset")
    assert not app.metric
    assert not [t for t in app.text_input if t.key == "typed_path"]


def test_unusable_cells_are_described_and_not_compared(app, write):
    adata = toy()
    adata.X = adata.X.toarray() - 3
    open_path(app.run(), write(adata))
    assert "cannot be used" in texts(app.error)
    go(app, "compare")
    assert "has errors" in texts(app.warning)
