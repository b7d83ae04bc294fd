"""Each page with AppTest: empty, demo, bad file, missing model, and jobs run to their end.

AppTest has no worker: a test runs the queued job itself, as the worker would.
"""

from __future__ import annotations

import io
from pathlib import Path

import anndata as ad
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


def compared(app, home, write):
    """A finished comparison of toy cells."""
    open_path(app, write(toy()))
    go(app, "compare")
    app.multiselect(key="encoders").set_value(["scgpt-mini"]).run()
    app.button(key="compare").click().run()
    assert work(home)[0].state == "done"
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        ("dataset", "Open demo cells"),
        ("compare", "No cells are open yet"),
        ("classify", "No model is saved yet"),
        ("jobs", "No job has run yet"),
    ],
)
def test_empty_pages_say_what_to_do(app, page, hint):
    go(app.run(), page)
    assert hint in texts(app.info)


def test_start_says_what_this_is_and_leads_to_a_comparison(app, home):
    app.run()
    assert "Name the types of your single cells" in texts(app.markdown)
    app.button(key="try").click().run()
    assert not app.exception
    jobs = JobBook(home).list(LOCAL)
    assert [(j.kind, j.state) for j in jobs] == [("compare", "waiting")]
    assert "No worker is running" in texts(app.warning)
    go(app, "start").button(key="try").click().run()
    assert len(JobBook(home).list(LOCAL)) == 1  # asked twice, run once


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


def test_compare_to_the_end_save_and_classify(app, write, home):
    compared(app.run(), home, write)
    assert "Best by macro F1" in texts(app.success)
    assert app.dataframe[0].value["model"].tolist() == ["scgpt-mini+mlp", "pca+mlp", "majority"]
    for tab in ("Confusion", "Per type", "Learning curves", "Mistakes", "Maps"):
        app.session_state["view"] = tab
        app.run()
        assert not app.exception, tab
    for colour in ("prediction", "right or wrong", "probability", "a gene"):
        app.selectbox(key="colour").set_value(colour).run()
        assert not app.exception, colour
    button(app, "Save model").click().run()
    assert not app.exception
    model = Library(home).list(LOCAL, "model")[0]
    assert model.meta["dataset_name"] == "cells.h5ad"
    go(app, "classify")
    assert "bear the names of cells that the model was trained on" in texts(app.warning)
    app.button(key="classify").click().run()
    assert work(home)[0].state == "done"
    app.run()
    assert not app.exception
    assert "cells.h5ad: 120 cells labelled" in texts(app.success)
    kept = Library(home).list(LOCAL, "classification")[0]
    labelled = ad.read_h5ad(kept.folder / "labelled.h5ad")
    assert {"scmpt_label", "scmpt_probability"} <= set(labelled.obs)
    assert (labelled.obs["scmpt_label"].astype(str) == toy().obs["cell_type"]).mean() > 0.8


def test_the_newest_result_is_the_answer(app, write, home):
    """A comparison that ends takes the place of the one on the page."""
    compared(app.run(), home, write)
    app.multiselect(key="encoders").set_value(["pca"]).run()
    app.button(key="compare").click().run()
    assert "scgpt-mini+mlp" in app.dataframe[0].value["model"].tolist()  # the old one meanwhile
    work(home)
    app.run()
    assert not app.exception
    assert app.dataframe[0].value["model"].tolist() == ["pca+mlp", "majority"]


def test_a_result_opens_its_own_dataset_and_outlives_it(app, write, home):
    compared(app.run(), home, write)
    first = Library(home).list(LOCAL, "dataset")[0]
    result = Library(home).list(LOCAL, "comparison")[0]
    open_path(app, write(toy(20), "other.h5ad"))
    app.query_params.clear()
    app.query_params["comparison"] = result.id
    app.switch_page("pages/compare.py")
    app.query_params["comparison"] = result.id
    app.run()
    assert not app.exception
    assert "on cells.h5ad" in texts(app.success)
    Library(home).delete(LOCAL, "dataset", first.id)
    app.query_params["comparison"] = result.id
    app.run()
    assert not app.exception
    assert "is no longer kept" in texts(app.info)
    assert "on cells.h5ad" in texts(app.success)


def test_a_link_is_shown_as_text(app, write):
    open_path(app.run(), write(toy()))
    app.switch_page("pages/compare.py")
    app.query_params["comparison"] = "[log in](https://example.org)"
    app.run()
    assert not app.exception
    assert "\\[log in\\]" in texts(app.warning)


def test_a_panel_that_lacks_the_window_is_refused_before_it_runs(app, write, home):
    compared(app.run(), home, write)
    button(app, "Save model").click().run()
    open_path(app, write(toy()[:, 10:].copy(), "panel.h5ad"))
    go(app, "classify")
    assert "is needed" in texts(app.error)
    assert not [b for b in app.button if b.key == "classify"]


def test_a_damaged_model_is_a_message(app, write, home):
    compared(app.run(), home, write)
    button(app, "Save model").click().run()
    model = Library(home).list(LOCAL, "model")[0]
    (model.folder / "model" / "genes.json").unlink()
    go(app, "classify")
    assert "lacks genes.json" in texts(app.error)


def test_a_failed_job_says_why_on_its_page_and_in_the_list(app, write, home):
    adata = toy()
    adata.obs["cell_type"] = ["a"] * 111 + ["b"] * 9
    open_path(app.run(), write(adata))
    go(app, "compare")
    item = Library(home).list(LOCAL, "dataset")[0]
    app.selectbox(key=f"label_{item.id}").set_value("cell_type").run()
    app.button(key="compare").click().run()
    assert work(home)[0].state == "failed"
    app.run()
    assert "2 are needed" in texts(app.error)
    go(app, "jobs")
    assert "2 are needed" in texts(app.error)


def test_a_waiting_job_can_be_stopped(app, home):
    app.run().button(key="try").click().run()
    job = JobBook(home).list(LOCAL)[0]
    app.button(key=f"stop_page_{job.id}").click().run()
    assert not app.exception
    assert JobBook(home).get(LOCAL, job.id).state == "stopped"
