"""The Compare page: settings, a comparison to its end, and everything there is to see of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from scmpt_core import evaluation
from scmpt_core.encoders import DEFAULT_FUSED
from scmpt_core.evaluation import EFFORTS, effort, load_stored
from scmpt_core.fusion.fits import Budget, Hyperparameters
from scmpt_core.jobs import JobBook, execute, submit
from scmpt_core.library import LOCAL, Library, add_dataset
from tests.conftest import toy
from tests.pages import test_pages as pages
from tests.pages.test_pages import button, go, open_path, texts, work

app = pages.app


def hurried(patch):
    """What a minute would be spent on and no test here looks at: the grid, UMAP's compiler."""
    setting = Hyperparameters(max_epochs=3)
    quick = replace(EFFORTS[0], budget=Budget("quick", "one setting", (setting,)))
    patch.setattr(effort, "EFFORTS", [quick, *EFFORTS[1:]])
    patch.setattr(evaluation, "umap_of", lambda vectors: vectors[:, :2])


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """So are the comparisons that a test runs."""
    hurried(monkeypatch)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with one comparison of shallow toy cells, some mislabelled; made once."""
    folder = tmp_path_factory.mktemp("made")
    home = folder / "home"
    adata, rng = toy(), np.random.default_rng(0)
    adata.X.data = rng.binomial(adata.X.data.astype(int), 0.1).astype(np.float32)
    labels = adata.obs["cell_type"].to_numpy(copy=True)
    some = rng.choice(len(adata), 30, replace=False)
    labels[some] = rng.permutation(labels[some])
    adata.obs["cell_type"] = labels
    adata.write_h5ad(folder / "cells.h5ad")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_HOME", str(home))
        patch.setenv("SCMPT_DTYPE", "float32")
        hurried(patch)
        item = add_dataset(Library(home), LOCAL, folder / "cells.h5ad")
        settings = {
            "dataset": item.id, "view": item.meta["view"], "label": "cell_type", "group": None,
            "encoders": ["scgpt-mini", "pca"], "effort": "quick", "heads": [],
            "baselines": ["majority", "knn"], "splits": 1, "long_cells": "random",
        }  # fmt: skip
        execute(home, submit(home, LOCAL, "compare", settings).id)
    return home


@pytest.fixture
def kept(made, home):
    """A copy of that home, and its comparison."""
    shutil.copytree(made, home)
    return Library(home).list(LOCAL, "comparison")[0]


@pytest.fixture
def result(kept):
    """What the page should say."""
    return load_stored(kept.folder)


@pytest.fixture
def shown(kept, app):
    """The page, open on it."""
    return go(app.run(), "compare")


def opened(app, tab):
    app.session_state["view"] = tab
    app.run()
    assert not app.exception, tab
    return app


def frame(app, column):
    """The first table that has the column."""
    return next(d.value for d in app.dataframe if column in d.value.columns)


def chosen(app, encoders):
    """Few rows, so that a comparison takes seconds."""
    go(app, "compare")
    app.multiselect(key="encoders").set_value(encoders).run()
    app.multiselect(key="baselines_quick").set_value(["majority"]).run()
    return app


def test_start_says_what_this_is_and_leads_to_a_comparison(app, home):
    app.run()
    assert "Name the types of your single cells" in texts(app.markdown)
    assert "on this machine, without network" in texts(app.caption)
    app.button(key="try").click().run()
    assert not app.exception
    jobs = JobBook(home).list(LOCAL)
    assert [(j.kind, j.state) for j in jobs] == [("compare", "waiting")]
    assert jobs[0].settings["encoders"] == list(DEFAULT_FUSED)
    assert jobs[0].settings["effort"] == "quick"
    assert "No worker is running" in texts(app.warning)
    go(app, "start").button(key="try").click().run()
    assert len(JobBook(home).list(LOCAL)) == 1  # asked twice, run once


def test_each_effort_shows_its_time_and_brings_its_choices(app, write, home):
    open_path(app.run(), write(toy()))
    go(app, "compare")

    def captions():
        return list(app.radio(key="effort").proto.captions)

    assert app.radio(key="effort").options == [e.name for e in EFFORTS]  # words that never change
    before = captions()
    assert all(caption.startswith("about ") for caption in before)
    app.number_input(key="splits_quick").set_value(20).run()
    assert captions()[0] != before[0]  # its time follows
    assert captions()[1:] == before[1:]
    app.radio(key="effort").set_value("paper").run()
    assert app.number_input(key="splits_paper").value == 3
    app.multiselect(key="heads_paper").set_value(["gated"]).run()
    app.button(key="compare").click().run()
    assert not app.exception
    given = JobBook(home).list(LOCAL)[0].settings
    assert (given["effort"], given["splits"], given["heads"]) == ("paper", 3, ["gated"])
    assert given["baselines"] == list(EFFORTS[1].baselines)


def test_the_sentence_of_text_encoders_is_chosen_and_a_prefix_must_be_written(app, write, home):
    open_path(app.run(), write(toy()))
    chosen(app, ["minilm", "pca"]).selectbox(key="sentence_format").set_value("prefix").run()
    app.text_input(key="sentence_prefix").set_value(" ").run()
    assert not app.exception
    app.button(key="compare").click().run()
    assert "prefix of the sentences is empty" in texts(app.error)
    assert not JobBook(home).list(LOCAL)
    app.text_input(key="sentence_prefix").set_value("human blood:").run()
    app.button(key="compare").click().run()
    assert not app.exception
    given = JobBook(home).list(LOCAL)[0].settings
    assert (given["sentence"], given["prefix"]) == ("prefix", "human blood:")


def test_without_encoders_there_is_a_message(app, write, home):
    open_path(app.run(), write(toy()))
    go(app, "compare").multiselect(key="encoders").set_value([]).run()
    assert not app.exception
    app.button(key="compare").click().run()
    assert "Name at least one, and each once" in texts(app.error)
    assert not JobBook(home).list(LOCAL)


def test_a_comparison_to_its_end_becomes_the_answer_and_is_saved(shown, home):
    chosen(shown, ["pca"]).button(key="compare").click().run()
    assert "scmpt" in frame(shown, "macro F1")["model"].tolist()  # the old one meanwhile
    assert work(home)[0].state == "done"
    shown.run()
    assert not shown.exception
    models = frame(shown, "macro F1")["model"].tolist()
    assert sorted(models) == ["majority", "pca+linear", "pca+mlp"]
    assert "Proposed is pca+" in texts(shown.caption)  # one encoder: no fusion to propose
    opened(shown, "Agreement")
    assert "has one encoder" in texts(shown.info)
    button(shown, "Save model").click().run()
    assert not shown.exception
    model = Library(home).list(LOCAL, "model")[0]
    assert model.meta["dataset_name"] == "cells.h5ad"
    assert (model.folder / "model" / "config.json").exists()


def test_the_answer_holds_the_numbers_and_what_they_allow_to_say(shown, result):
    rows = {row["name"]: row for row in result.summary["models"]}
    best = rows[result.best["name"]]
    assert f"Best by macro F1: **{best['name']}**" in texts(shown.success)
    assert f"{best['macro_f1']['mean']:.3f} (95 % interval" in texts(shown.success)
    said = texts(shown.markdown).replace("\\", "")
    assert result.summary["verdict"]["sentences"]
    assert all(sentence in said for sentence in result.summary["verdict"]["sentences"])
    assert "the promise of fusion" in said
    assert result.findings
    assert all(finding.message in said for finding in result.findings)
    table = frame(shown, "macro F1").set_index("model")
    assert set(table.index) == set(rows)
    assert table.index[-1] == "majority"  # baselines last
    for name, row in rows.items():
        interval = row["macro_f1"]["interval"]
        text = f"{row['macro_f1']['mean']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})"
        assert table.loc[name, "macro F1"] == text
        assert table.loc[name, "ECE"] == row["ece"]["after"]["mean"]
    tests = frame(shown, "p (Holm)")
    pairs = result.summary["verdict"]["pairs"]
    assert len(tests) == sum(len(s["tests"]) for p in pairs for s in p["splits"])


def test_a_baseline_that_is_better_is_said(kept, app):
    file = kept.folder / "comparison.json"
    data = json.loads(file.read_text("utf-8"))
    next(r for r in data["models"] if r["name"] == "knn")["macro_f1"]["mean"] = 0.99
    file.write_text(json.dumps(data), "utf-8")
    go(app.run(), "compare")
    assert "Plain baselines score higher: knn 0.990" in texts(app.warning)


def test_every_colour_of_the_maps(shown):
    for colour in ("prediction", "right or wrong", "probability", "a gene", "true type"):
        shown.selectbox(key="colour").set_value(colour).run()
        assert not shown.exception, colour


def test_which_model_is_right_counts_every_test_cell(shown, result):
    shown.selectbox(key="model").set_value("scmpt").run()
    shown.selectbox(key="colour").set_value("which model is right").run()
    assert not shown.exception
    test = (result.part == 3) & (result.truth >= 0)
    other = next(s for s in shown.selectbox if s.label == "Second model").value
    a, b = (result.predicted[m][test] == result.truth[test] for m in ("scmpt", other))
    said = texts(shown.caption).replace("\\", "")
    assert f"only scmpt is right: {(a & ~b).sum()}, only {other} is right: {(b & ~a).sum()}" in said
    assert f"both are right: {(a & b).sum()}, neither is right: {(~a & ~b).sum()}" in said


def test_confusion_of_one_model_and_of_two(shown, result):
    opened(shown, "Confusion")
    assert f"n = {result.confusions['scmpt'].sum()} test cells" in texts(shown.caption)
    assert "less that of" in texts(shown.caption)
    other = next(s for s in shown.selectbox if s.label == "Other model")
    assert set(other.options) == set(result.confusions) - {shown.selectbox(key="model").value}


def test_types_calibration_and_mistakes(shown, result):
    opened(shown, "Per type")
    assert set(frame(shown, "precision")["type"]) == set(result.classes)
    opened(shown, "Calibration")
    row = next(r for r in result.summary["models"] if r["name"] == shown.selectbox("model").value)
    found = {m.label: m.value for m in shown.metric}
    assert found["Calibration error after"] == f"{row['ece']['after']['mean']:.3f}"
    assert found["Coverage reached"] == f"{row['conformal']['coverage']['mean']:.1%}"
    by_type = frame(shown, "coverage")
    assert by_type["test cells"].sum() == result.summary["split"]["splits"][0]["test"]
    opened(shown, "Mistakes")
    test = np.flatnonzero(result.part == 3)
    wrong = (result.predicted[row["name"]][test] != result.truth[test]).sum()
    assert wrong > 0
    assert len(frame(shown, "prediction")) == wrong


def test_cells_on_which_models_disagree_lead_to_the_maps(shown, result):
    opened(shown, "Agreement")
    cases = frame(shown, "case").set_index("case")
    assert cases["test cells"].sum() == result.summary["split"]["splits"][0]["test"]
    apart = cases["test cells"].sum() - cases.loc["all agree", "test cells"]
    assert apart > 0
    listed = frame(shown, "certainty")
    assert len(listed) == apart
    assert listed["certainty"].is_monotonic_decreasing
    models = ["scgpt-mini+linear", "pca+linear", "scmpt"]
    assert (listed[models].nunique(axis=1) > 1).all()
    shown.button(key="to_maps").click().run()
    assert not shown.exception
    assert shown.session_state["view"] == "Maps"
    assert f"**{apart} cells selected**" in texts(shown.markdown)
    button(shown, "Clear selection").click().run()
    assert "cells selected" not in texts(shown.markdown)


def test_heads_without_a_learning_curve_say_why(shown):
    shown.selectbox(key="model").set_value("scmpt").run()
    opened(shown, "Learning curves")
    assert "has no learning curve" in texts(shown.info)
    assert len(frame(shown, "weights")) == 1
    shown.selectbox(key="model").set_value("pca+mlp").run()
    assert "has no learning curve" not in texts(shown.info)
    assert "1 run\\(s\\)" in texts(shown.caption)


def test_the_recommended_fusion_is_proposed_for_saving_whatever_scores_best(kept, app, home):
    file = kept.folder / "comparison.json"
    data = json.loads(file.read_text("utf-8"))
    next(r for r in data["models"] if r["name"] == "pca+mlp")["macro_f1"]["mean"] = 0.999
    file.write_text(json.dumps(data), "utf-8")
    go(app.run(), "compare")
    assert "**pca+mlp**" in texts(app.success)
    assert app.selectbox(key="keep").value == "scmpt"
    assert "the recommended fusion" in texts(app.caption)
    button(app, "Save model").click().run()
    assert [m.meta["model"] for m in Library(home).list(LOCAL, "model")] == ["scmpt"]


def test_a_comparison_of_an_earlier_version_asks_to_be_run_again(kept, app):
    file = kept.folder / "comparison.json"
    data = json.loads(file.read_text("utf-8")) | {"format": 1}
    file.write_text(json.dumps(data), "utf-8")
    go(app.run(), "compare")
    assert "has format 1" in texts(app.error)
    assert "Run it again" in texts(app.error)
    assert not app.button(key="compare").disabled


def test_a_result_opens_its_own_dataset_and_outlives_it(shown, kept, write, home):
    first = Library(home).list(LOCAL, "dataset")[0]
    open_path(shown, write(toy(20), "other.h5ad"))
    shown.query_params.clear()
    shown.query_params["comparison"] = kept.id
    shown.switch_page("pages/compare.py")
    shown.query_params["comparison"] = kept.id
    shown.run()
    assert not shown.exception
    assert "on cells.h5ad" in texts(shown.success)
    Library(home).delete(LOCAL, "dataset", first.id)
    shown.query_params["comparison"] = kept.id
    shown.run()
    assert not shown.exception
    assert "is no longer kept" in texts(shown.info)
    assert "on cells.h5ad" in texts(shown.success)


def test_a_link_is_shown_as_text(app, write):
    open_path(app.run(), write(toy()))
    app.switch_page("pages/compare.py")
    app.query_params["comparison"] = "[log in](https://example.org)"
    app.run()
    assert not app.exception
    assert "\\[log in\\]" in texts(app.warning)


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
