"""The Classify page with AppTest: choose, label, set the rule, name by hand, write."""

from __future__ import annotations

import io
import json
import shutil

import anndata as ad
import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import UNKNOWN, reference
from scmpt_core.fusion.search import QUICK
from scmpt_core.jobs import execute, submit
from scmpt_core.labelling import BY_HAND
from scmpt_core.library import LOCAL, Library, add_dataset, open_dataset
from scmpt_core.robustness import Card, Held, Outcome, save_card
from scmpt_core.ui.classify import downloads
from scmpt_core.ui.classify.keep import labelling_of
from tests.conftest import toy
from tests.helpers import dataset_of
from tests.pages import test_pages as pages
from tests.pages.test_pages import go, open_path, texts, work

app = pages.app


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a model of toy cells, other toy cells, and their labels; made once."""
    folder = tmp_path_factory.mktemp("made")
    home = folder / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_HOME", str(home))
        patch.setenv("SCMPT_DTYPE", "float32")
        library = Library(home)
        model = library.add(LOCAL, "model", "toy model", lambda f: _model(f, home))
        toy(20).write_h5ad(folder / "cells.h5ad")
        item = add_dataset(library, LOCAL, folder / "cells.h5ad")
        settings = {"dataset": item.id, "view": item.meta["view"], "model": model.id}
        job = submit(home, LOCAL, "classify", settings)
        execute(home, job.id)
    return home


def _model(folder, home) -> dict:
    task = fusion.make_task(dataset_of(toy(seed=1)), "cell_type")
    spec = fusion.recommended(("scgpt-mini", "pca"))
    store = EmbeddingStore(home / "embeddings")
    model = fusion.train_model(task, spec, QUICK, 0, store, choose_device(), "toy")
    fusion.save(model, folder / "model")
    return {"model": model.name, "test": model.record["test"], "palette": ["B", "Mono", "T"]}


@pytest.fixture
def labelled(made, home, app):
    """A copy of it, and the page open on the labels."""
    shutil.copytree(made, home)
    return go(app.run(), "classify")


@pytest.fixture
def kept(labelled, home):
    """The kept labels as they are now."""
    return lambda: Library(home).list(LOCAL, "classification")[0]


def frame(app, column):
    """The table that has this column."""
    return next(d.value for d in app.dataframe if column in d.value)


def typed(box, text):
    """What a browser does with a text that is not among the options."""
    box.options.append(text)
    return box.set_value(text)


def open_other(app, path):
    """Other cells become the open ones; the link to the labels is left."""
    open_path(app, path)
    app.query_params.clear()
    return go(app, "classify")


def tab(app, name):
    app.session_state["view"] = name
    app.run()
    assert not app.exception, name
    return app


def test_without_models_and_cells_the_references_are_there(app, home):
    go(app.run(), "classify")
    assert "No cells are open yet" in texts(app.info)
    options = app.selectbox(key="classify_model").options
    assert [o.split(":")[0] for o in options] == ["Human blood (PBMC)", "Human pancreatic islets"]


def test_a_reference_that_is_missing_is_a_message(app, home, monkeypatch, tmp_path):
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    go(app.run(), "classify")
    assert "is not in" in texts(app.error)
    assert "train\\_reference\\_models" in texts(app.error)


def test_a_reference_labels_cells_in_one_click(made, app, home, write, monkeypatch, tmp_path):
    saved = next((made / "items" / "model").iterdir()) / "model"
    shutil.copytree(saved, tmp_path / "models" / "pbmc")
    (tmp_path / "models" / "pbmc" / "README.md").write_text("The card's own words.")
    plain = Held("as trained", "as trained", Outcome(9, {}, 0.0, {}, 1.0))
    unseen = Held("unseen type", "B", Outcome(9, {}, 0.75, {"T": 0.75}, None))
    save_card(Card("both", "toy", (plain, unseen), {}), tmp_path / "models" / "pbmc")
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "models")
    open_path(app.run(), write(toy(15)))
    go(app, "classify")
    assert "The card's own words" in texts(app.markdown)
    assert "75% get one of its labels" in texts(app.warning)
    app.button(key="classify").click().run()
    assert work(home)[0].state == "done"
    app.run()
    assert not app.exception
    assert "45 cells labelled by **PBMC reference**" in texts(app.success)
    assert Library(home).list(LOCAL, "classification")[0].meta["reference"] == "pbmc"
    assert "OUT.h5ad" in texts(app.caption)


def test_the_answer_says_how_many_and_why(labelled, kept):
    labels = labelling_of(kept())
    assert f"60 cells labelled by **toy model**: {len(set(labels.counts) - {UNKNOWN})}" in texts(
        labelled.success
    )
    assert f"{labels.counts.get(UNKNOWN, 0)} (" in texts(labelled.success)
    for reason, n in labels.unknown_counts.items():
        assert f"**{n}** {reason}" in texts(labelled.markdown)
    assert "another study they may be too sure" in texts(labelled.caption)


def test_a_column_of_the_file_can_vote(labelled, home):
    labelled.query_params.clear()
    labelled.selectbox(key="vote_by").set_value("donor").run()
    labelled.button(key="classify").click().run()
    assert work(home)[0].state == "done"
    newest = Library(home).list(LOCAL, "classification")[0]
    assert newest.meta["clustering"] == {"column": "donor", "resolution": 1.0}
    assert [v.cluster for v in labelling_of(newest).votes] == ["d0", "d1", "d2", "d3"]
    labelled.run()
    older = labelled.selectbox(key=f"result_other_than_{newest.id}")
    older.set_value(older.options[1]).run()
    assert not labelled.exception
    first = Library(home).list(LOCAL, "classification")[1]
    assert labelled.query_params["result"] == first.id
    assert "60 cells labelled" in texts(labelled.success)


def test_a_threshold_acts_at_once_is_kept_and_undone(labelled, kept):
    item, before = kept(), texts(labelled.success)
    labelled.slider(key=f"far_{item.id}").set_value(7.0).run()
    assert labelled.slider(key=f"far_{item.id}").value == 7.0  # to the digit, or it moves for ever
    labelled.slider(key=f"far_{item.id}").set_value(50.0).run()
    assert not labelled.exception
    assert kept().meta["rule"]["far"] == 0.5
    far = labelling_of(kept()).unknown_counts["far from all training cells"]
    assert far == (labelling_of(item).prediction.far <= 0.5).sum() > 10
    assert f"**{far}** far from all training cells" in texts(labelled.markdown)
    assert texts(labelled.success) != before
    labelled.slider(key=f"coverage_{item.id}").set_value(80.0).run()
    labelled.button(key="undo_rule").click().run()
    assert kept().meta["rule"] == {"error": 0.05, "far": 0.5, "coverage": 0.9}
    assert labelled.slider(key=f"coverage_{item.id}").value == 90.0
    labelled.button(key="reset_rule").click().run()
    assert kept().meta["rule"] == item.meta["rule"]
    assert labelled.slider(key=f"far_{item.id}").value == 1.0
    assert texts(labelled.success) == before


def test_clusters_are_named_by_hand(labelled, kept):
    app = tab(labelled, "Clusters")
    assert frame(app, "cluster")["cluster"].tolist()[0] == "0"
    n = int(frame(app, "cluster")["cells"].tolist()[0])
    app.multiselect(key="clusters_chosen").set_value(["0"])
    typed(app.selectbox(key="cluster_name"), "plasma cell")
    app.button(key="name_clusters").click().run()
    assert not app.exception
    assert kept().meta["edits"] == {"0": "plasma cell"}
    labels = labelling_of(kept())
    assert labels.counts["plasma cell"] == n
    assert set(labels.reasons[labels.labels == "plasma cell"]) == {BY_HAND}
    assert frame(app, "cluster")[BY_HAND].tolist()[0] == "plasma cell"
    assert app.multiselect(key="clusters_chosen").value == []
    app.button(key="name_clusters").click().run()
    assert "No cluster is chosen" in texts(app.error)
    app.button(key="undo_clusters").click().run()
    assert kept().meta["edits"] == {}
    assert "plasma cell" not in labelling_of(kept()).counts


def test_names_are_taken_away(labelled, kept):
    app = tab(labelled, "Clusters")
    app.multiselect(key="clusters_chosen").set_value(["0", "1"])
    app.selectbox(key="cluster_name").set_value(UNKNOWN)
    app.button(key="name_clusters").click().run()
    assert f"{BY_HAND}: their cluster was called Unknown" in texts(app.markdown)
    app.button(key="unname_clusters").click().run()
    assert kept().meta["edits"] == {}


def test_a_term_is_confirmed(labelled, kept):
    app = tab(labelled, "Types")
    rows = frame(app, "mean probability").set_index("label")
    assert rows.loc["B", "Cell Ontology"].endswith("#CL:0000236")
    assert "MS4A1 (" in rows.loc["B", "genes that mark it"]
    app.selectbox(key="term_label").set_value("Mono").run()
    app.radio(key="term_Mono").set_value("another id …").run()
    app.text_input(key="typed_term").set_value("CL:0000000000").run()
    app.button(key="confirm_term").click().run()
    assert "is not a term of the Cell Ontology" in texts(app.error)
    app.text_input(key="typed_term").set_value("CL:0000576").run()
    app.button(key="confirm_term").click().run()
    assert kept().meta["terms"] == {"Mono": "CL:0000576"}
    rows = frame(app, "mean probability").set_index("label")
    assert rows.loc["Mono", "its name in the ontology"] == "monocyte"
    app.button(key="undo_terms").click().run()
    assert kept().meta["terms"] == {}


def test_every_tab_and_every_colour(labelled):
    for name in ("How sure", "Clusters", "Types", "Encoders", "Cells"):
        tab(labelled, name)
    for colour in labelled.selectbox(key="label_colour").options:
        labelled.selectbox(key="label_colour").set_value(colour).run()
        assert not labelled.exception, colour


def test_cells_are_filtered_and_sorted(labelled, kept):
    labels = labelling_of(kept())
    labelled.selectbox(key="show_label").set_value("B").run()
    shown = frame(labelled, "p of being far")
    assert set(shown["label"]) == {"B"}
    assert len(shown) == labels.counts["B"]
    assert (np.diff(shown["probability"]) >= 0).all()
    labelled.selectbox(key="show_first").set_value("surest first").run()
    assert (np.diff(frame(labelled, "p of being far")["probability"]) <= 0).all()


def test_a_filter_that_the_rule_empties_is_let_go(labelled, kept):
    labelled.slider(key=f"far_{kept().id}").set_value(50.0).run()
    labelled.selectbox(key="show_reason").set_value("far from all training cells").run()
    labelled.slider(key=f"far_{kept().id}").set_value(0.0).run()
    assert not labelled.exception
    assert labelled.selectbox(key="show_reason").value == "all"


def test_cells_on_which_encoders_disagree_are_one_click_away(labelled, kept):
    disagree = labelling_of(kept()).prediction.disagree
    app = tab(labelled, "Encoders")
    assert f"{60 - disagree.sum()} of 60" in texts(app.markdown)
    assert disagree.any()
    app.button(key="show_disputed").click().run()
    assert not app.exception
    shown = frame(app, "p of being far")["cell"].tolist()
    assert sorted(shown) == sorted(labelling_of(kept()).ids[disagree])


def test_files_follow_the_choices_of_the_moment(labelled, home, kept, tmp_path):
    app = tab(labelled, "Clusters")
    app.multiselect(key="clusters_chosen").set_value(["0"])
    typed(app.selectbox(key="cluster_name"), "mine")
    app.button(key="name_clusters").click().run()
    item, dataset = kept(), Library(home).list(LOCAL, "dataset")[0]
    labels = labelling_of(item)
    written = downloads.annotated(item, dataset, labels)
    back = ad.read_h5ad(io.BytesIO(written))
    assert back.obs["scmpt_label"].astype(str).tolist() == labels.labels.tolist()
    assert "mine" in set(back.obs["scmpt_label"])
    assert back.obs["cell_type"].astype(str).tolist() == toy(20).obs["cell_type"].tolist()
    assert json.loads(back.uns["scmpt"]["settings"])["edits"] == {"0": "mine"}
    assert back.uns["scmpt"]["trained_on"] == "toy, label cell_type"
    text = downloads.repeat(item, labels)
    compile(text, "repeat.py", "exec")
    assert '"0": "mine"' in text


def test_labels_outlive_their_dataset_and_their_model(labelled, home, kept):
    library = Library(home)
    library.delete(LOCAL, "dataset", library.list(LOCAL, "dataset")[0].id)
    library.delete(LOCAL, "model", library.list(LOCAL, "model")[0].id)
    labelled.query_params["result"] = kept().id
    labelled.run()
    assert not labelled.exception
    assert "60 cells labelled" in texts(labelled.success)
    assert "is no longer kept" in texts(labelled.caption)


def test_labels_of_an_earlier_version_are_a_message(labelled, kept):
    (kept().folder / "labelling.json").unlink()
    import streamlit as st

    st.cache_resource.clear()
    labelled.run()
    assert not labelled.exception
    assert "earlier version" in texts(labelled.error)
    assert "Label the cells again" in texts(labelled.error)


def test_cells_that_were_trained_on_are_noticed(labelled, write):
    open_other(labelled, write(toy(seed=1), "same.h5ad"))
    assert "bear the names of cells that the model was trained on" in texts(labelled.warning)


def test_a_panel_that_lacks_the_window_is_refused_before_it_runs(labelled, write):
    open_other(labelled, write(toy()[:, 10:].copy(), "panel.h5ad"))
    assert "is needed" in texts(labelled.error)
    assert not [b for b in labelled.button if b.key == "classify"]


@pytest.mark.parametrize("damage", ["genes.json", "config.json", "format"])
def test_a_damaged_or_old_model_is_a_message(labelled, home, damage):
    folder = Library(home).list(LOCAL, "model")[0].folder / "model"
    if damage == "format":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"format": 1}))
    else:
        (folder / damage).unlink()
    import streamlit as st

    st.cache_data.clear()
    go(labelled, "classify")
    said = "has format 1" if damage == "format" else f"lacks {damage}"
    assert said in texts(labelled.error)


def test_a_link_to_a_model_chooses_it(labelled, home):
    labelled.switch_page("pages/classify.py")
    labelled.query_params["model"] = "islets"
    labelled.run()
    assert not labelled.exception
    assert labelled.selectbox(key="classify_model").value == "islets"


def test_the_file_is_read_as_it_was_labelled(labelled, home, kept):
    item, dataset = kept(), Library(home).list(LOCAL, "dataset")[0]
    fewer = Library(home).update(LOCAL, "dataset", dataset.id, view={"min_genes": 20})
    assert open_dataset(fewer).adata.n_obs < 60
    back = ad.read_h5ad(io.BytesIO(downloads.annotated(item, fewer, labelling_of(item))))
    assert back.n_obs == 60
