"""Each page with AppTest: empty, demo, bad file, and a comparison run to its end."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import toy


@pytest.fixture
def app():
    return AppTest.from_file(str(Path(__file__).parents[2] / "app.py"), default_timeout=300)


def texts(elements):
    return " ".join(e.value for e in elements)


def open_path(app, path):
    app.run()
    app.text_input(key="typed_path").set_value(str(path))
    return next(b for b in app.button if b.label == "Open the path").click().run()


def test_empty_pages_say_what_to_do(app):
    app.run()
    assert not app.exception
    assert "Try it on demo cells" in texts(app.info)
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert "No cells are open yet" in texts(app.info)


def test_demo_in_one_click(app):
    app.run().button(key="demo").click().run()
    assert not app.exception
    assert [m.value for m in app.metric] == ["700", "765", "raw", "log"]
    assert "Ready to use" in texts(app.success)
    app.button(key="close").click().run()
    assert "No cells are open" in texts(app.info)


def test_upload(app):
    import io

    data = io.BytesIO()
    toy().to_df().to_csv(data)
    app.run().file_uploader(key="upload").set_value(("cells.csv", data.getvalue(), "text/csv"))
    app.run().button(key="open_upload").click().run()
    assert not app.exception
    assert [m.value for m in app.metric][:2] == ["120", "30"]


def test_hostile_file_is_refused_on_the_page(app, tmp_path):
    path = tmp_path / "bad.h5ad"
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink("/etc/passwd", "/x")
    open_path(app, path)
    assert not app.exception
    assert "external link" in texts(app.error)
    assert not app.metric


def test_unusable_cells_are_described_and_not_compared(app, write):
    adata = toy()
    adata.X = adata.X.toarray() - 3
    open_path(app, write(adata))
    assert "cannot be used" in texts(app.error)
    app.switch_page("pages/compare.py").run()
    assert "has errors" in texts(app.warning)


def test_paths_are_off_on_a_shared_server(app, write, monkeypatch):
    monkeypatch.setenv("SCMPT_LOCAL", "false")
    app.run()
    assert not [t for t in app.text_input if t.key == "typed_path"]


def test_compare_to_the_end(app, write):
    open_path(app, write(toy()))
    app.switch_page("pages/compare.py").run()
    app.multiselect(key="encoders").set_value(["scgpt-mini"])
    app.number_input(key="seeds").set_value(1)
    next(b for b in app.button if b.label == "Compare").click().run()
    assert not app.exception
    assert "Best by macro F1" in texts(app.success)
    table = app.dataframe[0].value
    assert table["model"].tolist() == ["scgpt-mini+mlp", "pca+mlp", "majority"]


def test_a_column_with_one_class_too_small_is_explained(app, write):
    adata = toy()
    adata.obs["cell_type"] = ["a"] * 111 + ["b"] * 9
    open_path(app, write(adata))
    app.switch_page("pages/compare.py").run()
    app.selectbox(key="label").set_value("cell_type")
    next(b for b in app.button if b.label == "Compare").click().run()
    assert "2 are needed" in texts(app.error)
