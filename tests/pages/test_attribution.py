"""The Attribution page with AppTest: the form and its job's settings, and every view of scores."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import streamlit as st

from scmpt_core import fusion
from scmpt_core.attribution import Attribution, Options, Source, save_attribution
from scmpt_core.attribution.judged import Yardsticks, save_yardsticks
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import MissingComponent
from scmpt_core.jobs import JobBook
from scmpt_core.jobs.kinds import map as map_job
from scmpt_core.library import LOCAL, Library, add_dataset, open_dataset
from scmpt_core.markers import download as panglao_download
from scmpt_core.markers import open_database, panglaodb
from scmpt_core.seeds import cell_seeds
from scmpt_core.ui.attribution import panglaodb as panglao_page
from scmpt_core.ui.attribution.cost import readings
from tests.conftest import SYMBOLS, TYPES, toy
from tests.pages import test_pages as pages
from tests.pages.homes import home_with_model
from tests.pages.test_classify import _model
from tests.pages.test_pages import go, work

app = pages.app
CLASSES = tuple(sorted(TYPES))  # B, Mono, T
DRAWS = (("ig", 0), ("lime", 0), ("lime", 1))
WRONG = 3  # this cell of type Mono is called B by the whole model


def explained(whole: str = "both") -> Attribution:
    """9 cells, 3 a type: each type's planted markers have the highest scores, by every source."""
    ways = (whole, "scgpt-mini")
    sources = [Source(method, way, seed) for method, seed in DRAWS for way in ways]
    rng = np.random.default_rng(0)
    types = np.repeat(np.arange(3), 3)
    planted = np.array([[gene in TYPES[name] for gene in SYMBOLS] for name in CLASSES])[types]
    scores = {
        s: sp.csr_matrix(rng.normal(0, 0.1, (9, 30)) + 2.0 * planted + s.seed * 0.01)
        for s in sources
    }
    quality = {
        s: {"delta": np.linspace(0.001, 0.009, 9)} if s.method == "ig"
        else {"r2": np.linspace(0.7, 0.9, 9)}
        for s in sources
    }  # fmt: skip
    said = types.copy()
    said[WRONG] = 0
    expression = sp.csr_matrix(1 + rng.uniform(size=(9, 30)) + 3.0 * planted)
    seen = np.ones((9, 30), np.float32)
    seen[:, -1] = 0  # the last gene is read in no cell
    return Attribution(
        whole, "toy", CLASSES, np.array(SYMBOLS), np.array([f"cell{i}" for i in range(9)]),
        types, True, {whole: said, "scgpt-mini": types}, np.full(9, ""), expression,
        {way: sp.csr_matrix(seen) for way in ways}, scores, quality,
        {"cells": 3, "options": {"samples": 1000}},
    )  # fmt: skip


@pytest.fixture
def kept(home, write):
    """A home with toy cells and their scores: dataset item, scores' item."""
    library = Library(home)
    data = add_dataset(library, LOCAL, write(toy(15)))

    made = library.add(LOCAL, "attribution", "scores", lambda f: _filled(f, explained(), data))
    return data, made


def _filled(folder, result: Attribution, data, **known) -> dict:
    save_attribution(result, folder)
    return {"dataset": data.id, "dataset_name": data.name, "view": data.meta["view"],
            "model_name": result.model, "label": "cell_type", "methods": list(result.methods),
            "cells": 9, **known}  # fmt: skip


def test_a_gene_that_the_model_does_not_know_has_expression_and_no_score(home, write, app):
    library = Library(home)
    data = add_dataset(library, LOCAL, write(toy(15)))
    whole = explained()
    cut = replace(
        whole, genes=whole.genes[1:], expression=whole.expression[:, 1:],
        seen={way: matrix[:, 1:] for way, matrix in whole.seen.items()},
        scores={source: matrix[:, 1:] for source, matrix in whole.scores.items()},
    )  # fmt: skip
    library.add(LOCAL, "attribution", "scores", lambda f: _filled(f, cut, data))
    tab(go(app.run(), "attribution"), "One gene")
    app.selectbox(key="one_gene").set_value(SYMBOLS[0]).run()
    assert f"{SYMBOLS[0]} has no score: the model does not know it" in texts(app.info)
    assert "n = 45 cells." in texts(app.caption)
    # 0 in the explained cells would be a lie: its values were left out
    assert app.selectbox(key="gene_types_from").options == ["cell_type (of the file)",
                                                            "donor (of the file)"]  # fmt: skip


@pytest.fixture
def shown(kept, app):
    """The page, open on the scores."""
    return go(app.run(), "attribution")


def texts(elements):
    """Without what keeps names from being read as markup."""
    return pages.texts(elements).replace("\\", "")


def tab(app, name):
    app.session_state["part"] = name
    app.run()
    assert not app.exception, name
    return app


def frame(app, column):
    """The table that has this column."""
    return next(d.value for d in app.dataframe if column in d.value)


def entry_box(app, label):
    return next(b for b in app.selectbox if b.label.removeprefix("✓ ") == label)


def press(app, key):
    next(b for b in app.button if b.key and key in b.key).click().run()
    assert not app.exception
    return app


def confirm(app):
    """In the tab of markers: B is suggested; Mono and T are chosen by hand."""
    tab(app, "Known markers")
    entry_box(app, "Mono").set_value("Monocyte")
    entry_box(app, "T").set_value("T cell")
    entry_box(app, "B").set_value("B cell")
    return press(app, "confirm_entries")


def test_an_empty_page_says_what_to_do(app, home):
    go(app.run(), "attribution")
    assert "No cells are open yet" in texts(app.info)
    assert "Explain a model on these cells" not in [box.label for box in app.expander]
    assert not [b for b in app.button if b.key == "attribute"]


def test_the_headline_counts_cells_and_names_model_and_methods(shown):
    said = texts(shown.success)
    assert "9 cells of 3 types explained for **both** by Integrated gradients, LIME" in said
    assert "named right in 8" in said
    assert "perturbed cells 1,000" in texts(shown.caption)


def test_a_correct_only_view_leaves_the_wrong_cell_out(shown):
    shown.selectbox(key="type").set_value("Mono").run()
    assert "mean of n = 3 cells (right and wrong ones)" in texts(shown.caption)
    shown.toggle(key="correct_only").set_value(True).run()
    assert "mean of n = 2 cells (named right)" in texts(shown.caption)


def test_quality_of_the_method_is_said(shown):
    # cells 0 to 2 are of type B: deltas 0.001, 0.002, 0.003
    assert (
        "nearly all of what the genes change together (missing: 0.20% in the median, at most 0.30%)"
    ) in texts(shown.caption)
    shown.selectbox(key="method").set_value("lime").run()
    assert "R² is 0.725 on the perturbed cells that the scores were fitted to" in (
        texts(shown.caption)
    )


def test_nothing_is_matched_silently(shown, home):
    tab(shown, "Known markers")
    assert "Confirm what at least one label is" in texts(shown.info)
    assert "report" not in [d.key for d in shown.dataframe]
    assert Library(home).list(LOCAL, "dataset")[0].meta.get("markers") is None


def test_confirmed_entries_are_remembered_and_tested(shown, home):
    confirm(shown)
    book = Library(home).list(LOCAL, "dataset")[0].meta["markers"]
    assert book == {"builtin": {"B": "B cell", "Mono": "Monocyte", "T": "T cell"}}
    table = frame(shown, "p hypergeometric (descriptive)")
    row = table.set_index(["type", "method", "way"]).loc["B", "Integrated gradients", "both"]
    assert set(TYPES["B"]) <= set(row["markers"].split(", "))
    assert row["n"] == 3
    # 3 planted markers are the only of the entry among 29 genes read; k = 10
    assert row["markers in top"] == 3
    assert row["expected"] == pytest.approx(3 * row["top genes"] / 29)
    assert "builtin" in texts(shown.caption)
    assert len(frame(shown, "GeneCards")) == row["top genes"]


def test_forgotten_entries_are_asked_for_again(shown, home):
    press(confirm(shown), "forget_entries")
    assert Library(home).list(LOCAL, "dataset")[0].meta["markers"] == {}
    assert "Confirm what at least one label is" in texts(shown.info)


def test_markers_are_marked_in_the_bars_once_confirmed(shown):
    assert "no entry of" in texts(shown.info)
    confirm(shown)
    tab(shown, "Top genes")
    assert "3 known markers of B cell" in texts(shown.caption)


def test_the_chosen_type_comes_first_and_genes_that_the_data_lack_are_listed(shown):
    confirm(shown)
    assert frame(shown, "p hypergeometric (descriptive)").type.iloc[0] == "B"
    shown.selectbox(key="type").set_value("T").run()
    table = frame(shown, "p hypergeometric (descriptive)")
    assert table.type.iloc[0] == "T"
    assert list(table.columns[:5]) == ["type", "method", "way", "markers in top", "markers"]
    entry = open_database("builtin").entry("T cell")
    lacking = [gene for gene in entry.genes if gene not in SYMBOLS]
    assert f"**Listed, but not in the data** ({len(lacking)})" in texts(shown.markdown)
    assert lacking
    assert ", ".join(lacking) in texts(shown.caption)


def test_a_type_none_of_whose_markers_is_read_has_no_curve(shown):
    shown.selectbox(key="marker_database").set_value("custom").run()
    table = f"cell type,gene\nB,{SYMBOLS[-1]}\nMono,LYZ\nT,CD3D\n".encode()
    shown.file_uploader(key="marker_file").set_value(("mine.csv", table, "text/csv")).run()
    press(tab(shown, "Known markers"), "confirm_entries")
    assert "No curve: both reads none of the markers of B" in texts(shown.info)
    assert "precision" not in [c.key for c in shown.get("plotly_chart")]
    shown.selectbox(key="type").set_value("Mono").run()
    assert chart(shown, "precision")["data"][0]["y"]


def test_yardsticks_say_which_cells_they_are_from(shown, kept):
    confirm(shown)
    assert "Grey" not in texts(shown.caption)  # there are none
    scores = np.zeros((3, 30))
    scores[0, SYMBOLS.index(TYPES["B"][0])] = 1
    save_yardsticks(Yardsticks({"differential expression": scores}, 45, False), kept[1].folder)
    st.cache_resource.clear()
    shown.run()
    said = "Grey: yardsticks that need no model, made from all 45 cells of its types in this file"
    assert said in texts(shown.caption)
    assert chart(shown, "precision")["data"][-1]["name"] == "differential expression"


def test_a_missing_database_says_how_to_get_it_and_offers_the_builtin(shown):
    shown.selectbox(key="marker_database").set_value("panglaodb").run()
    assert "not on this machine" in texts(shown.warning)
    assert "scmpt_core download panglaodb" in texts(shown.caption)
    press(shown, "use_builtin")
    assert shown.selectbox(key="marker_database").value == "builtin"
    assert not shown.warning


def panglao_file() -> bytes:
    """A table with PanglaoDB's columns."""
    columns = "species\tofficial gene symbol\tcell type\tcanonical marker\torgan"
    return gzip.compress(f"{columns}\nHs\tCD79A\tB cells\t1\tBlood\n".encode())


def test_panglaodb_can_be_uploaded_and_stays(shown, monkeypatch):
    content = panglao_file()
    monkeypatch.setattr(panglao_download, "SHA256", hashlib.sha256(content).hexdigest())
    shown.selectbox(key="marker_database").set_value("panglaodb").run()
    given = (panglaodb.FILE, content, "application/gzip")
    shown.file_uploader(key="panglaodb_file").set_value(given).run()
    assert not shown.exception
    assert "as published" not in texts(shown.error)
    assert panglaodb.installed_file().read_bytes() == content
    assert "Markers: **panglaodb" in texts(shown.caption)


def test_another_file_than_panglaodbs_is_not_installed(shown):
    shown.selectbox(key="marker_database").set_value("panglaodb").run()
    given = (panglaodb.FILE, panglao_file(), "application/gzip")
    shown.file_uploader(key="panglaodb_file").set_value(given).run()
    assert "as published" in texts(shown.error)
    assert not panglaodb.installed_file().exists()


def test_a_download_without_network_says_so(shown, monkeypatch):
    monkeypatch.setattr(panglao_page, "download_panglaodb", lambda *_: _refused())
    shown.selectbox(key="marker_database").set_value("panglaodb").run()
    press(shown, "get_panglaodb")
    assert "could not be downloaded" in texts(shown.error)


def _refused():
    raise MissingComponent("The file could not be downloaded: no route.", "Copy it here.")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Model and its parts", "both and scgpt-mini share"),
        ("Genes by type", "9 in all"),
        ("Agreement", "n = 3 cells"),
        ("One cell", "of 30 genes, in falling order"),
    ],
)
def test_every_other_tab(shown, name, said):
    tab(shown, name)
    assert said in texts(shown.caption) + texts(shown.markdown)


def test_a_gene_that_is_never_read_is_said_to_be_so(shown):
    tab(shown, "One gene")
    shown.selectbox(key="one_gene").set_value(SYMBOLS[-1]).run()
    assert f"{SYMBOLS[-1]}, Integrated gradients, both" in texts(shown.caption)
    assert "Read in no cell of B, Mono, T" in texts(shown.caption)


def test_the_genes_of_the_chart_stand_first_and_all_others_follow(shown):
    tab(shown, "One gene")
    options = shown.selectbox(key="one_gene").options
    assert set(options[:3]) == set(TYPES["B"])
    assert sorted(options) == sorted(SYMBOLS)
    shown.selectbox(key="one_gene").set_value("LYZ").run()
    shown.selectbox(key="type").set_value("Mono").run()
    assert shown.selectbox(key="one_gene").value == "LYZ"  # another type, the same gene
    assert set(shown.selectbox(key="one_gene").options[:3]) == set(TYPES["Mono"])


def chart(app, key):
    """What is drawn under a key."""
    return json.loads(next(c for c in app.get("plotly_chart") if c.key == key).proto.spec)


def numbers(drawn) -> np.ndarray:
    """Of a drawn trace: plotly writes arrays as base64."""
    return np.frombuffer(base64.b64decode(drawn["bdata"]), drawn["dtype"])


def test_a_gene_by_type_is_the_files(shown, kept):
    tab(shown, "One gene")
    shown.selectbox(key="one_gene").set_value("CD79A").run()
    cells = open_dataset(kept[0]).usable()
    values = cells.expression[:, np.flatnonzero(cells.genes == "CD79A")].toarray().ravel()
    types = np.repeat(list(TYPES), 15)
    some = (values > 0).sum()
    assert shown.selectbox(key="gene_types_from").value == "cell_type (of the file)"
    assert "n = 45 cells." in texts(shown.caption)
    drawn = chart(shown, "gene_by_type")["data"]
    boxes = [trace for trace in drawn if trace["type"] == "box"]
    assert boxes[0]["name"] == "B"  # its planted type has the highest mean
    for box in boxes:
        mine = values[types == box["name"]]
        assert box["mean"] == pytest.approx([mine.mean()])
        assert box["median"] == pytest.approx([np.median(mine)])
    assert some < 45
    shares = {t["text"] for t in drawn if t["type"] == "bar"}
    assert shares == {f"{(values[types == name] > 0).mean():.0%}" for name in TYPES}


def test_the_map_of_a_gene_is_made_on_demand(shown, home, monkeypatch):
    monkeypatch.setattr(map_job, "umap_of", lambda vectors: vectors[:, :2])  # ten times as fast
    tab(shown, "One gene")
    shown.selectbox(key="one_gene").set_value("CD79A").run()
    shown.button(key="umap").click().run()
    assert [job.state for job in work(home)] == ["done"]
    shown.run()
    assert "map of n = 45 cells, computed from 50 principal components" in texts(shown.caption)
    none, some = chart(shown, "gene_map")["data"]
    assert none["marker"]["color"] == "#9AA0A6"
    assert len(none["text"]) + len(some["text"]) == 45


def test_the_explained_cells_alone_can_give_the_types(shown):
    tab(shown, "One gene")
    shown.selectbox(key="one_gene").set_value("CD79A").run()
    shown.selectbox(key="gene_types_from").set_value("the explained cells alone").run()
    assert "n = 9 cells." in texts(shown.caption)
    boxes = [t for t in chart(shown, "gene_by_type")["data"] if t["type"] == "box"]
    result = explained()
    values = result.expression.toarray()[result.types == 0, SYMBOLS.index("CD79A")]
    assert boxes[0]["mean"] == pytest.approx([values.mean()])


def test_ones_own_table_is_a_database(shown):
    shown.selectbox(key="marker_database").set_value("custom").run()
    assert "Two columns, cell type and gene" in texts(shown.caption)
    table = b"cell type,gene\nB,CD79A\nMono,LYZ\nMono,ACTB\n"
    shown.file_uploader(key="marker_file").set_value(("mine.csv", table, "text/csv")).run()
    assert not shown.exception
    assert "custom, file mine.csv**, 2 cell types" in texts(shown.caption)
    tab(shown, "Known markers")
    press(shown, "confirm_entries")  # the same words are filled in; T has no entry
    report = frame(shown, "p hypergeometric (descriptive)")
    assert set(report.type) == {"B", "Mono"}
    assert "Not confirmed yet: T" in texts(shown.caption)


def test_one_cell_in_reading_order_with_values(shown):
    tab(shown, "One cell")
    table = frame(shown, "place")
    result = explained()
    expression = result.expression[0].toarray().ravel()
    assert table["gene"].tolist() == [SYMBOLS[i] for i in np.argsort(-expression)]
    scores = result.scores[Source("ig", "both")][0].toarray().ravel()
    at = table.set_index("gene")["score"]
    assert at["CD79A"] == pytest.approx(scores[SYMBOLS.index("CD79A")])
    assert np.isnan(at[SYMBOLS[-1]])  # not read
    assert [m.value for m in shown.metric if m.label.startswith("Missing")] == ["0.10%"]


def test_a_link_opens_the_same_view(home, kept, app):
    app.query_params |= {
        "type": "Mono", "method": "LIME", "way": "scgpt-mini alone", "top_k": "5",
        "cell": "cell4: called Mono", "part": "One cell",
    }  # fmt: skip
    go(app.run(), "attribution")
    assert app.selectbox(key="cell").value == "cell4"
    assert "cell4, LIME, scgpt-mini" in texts(app.caption)
    assert "Top 5 genes" in texts(app.caption)


def test_predicted_types_are_never_called_right_or_wrong(home, write, app):
    library = Library(home)
    data = add_dataset(library, LOCAL, write(toy(15)))
    result = replace(explained(), known=False)
    library.add(LOCAL, "attribution", "scores", lambda f: _filled(f, result, data))
    go(app.run(), "attribution")
    app.session_state["correct_only"] = True  # as another result had it
    app.run()
    assert app.toggle(key="correct_only").disabled
    assert "Which cells are named right is not known here" in texts(app.caption)
    assert "n = 3 cells (of the type that the model predicts)" in texts(app.caption)
    assert "wrong" not in texts(app.caption)


def test_of_another_class_as_the_target_its_markers_count(home, write, app):
    library = Library(home)
    data = add_dataset(library, LOCAL, write(toy(15)))
    result = explained()
    result = replace(result, settings={**result.settings, "target": "B"})
    library.add(LOCAL, "attribution", "scores", lambda f: _filled(f, result, data))
    go(app.run(), "attribution")
    assert "Scores are for the logit of B in every cell." in texts(app.success)
    tab(app, "Known markers")
    entry_box(app, "B").set_value("B cell")
    press(app, "confirm_entries")
    found = frame(app, "p hypergeometric (descriptive)")
    assert set(found.type) == {"B", "Mono", "T"}
    assert set(found.entry) == {"B cell"}


def test_several_seeds_show_their_spread_and_whether_they_agree(shown):
    shown.selectbox(key="method").set_value("lime").run()
    assert "mean of 2 seeds and n = 3 cells" in texts(shown.caption)
    assert "standard deviation over the seeds" in texts(shown.caption)
    bars, *_, spread = chart(shown, "top_genes")["data"]
    result = explained()
    means = [result.scores[Source("lime", "both", s)].toarray()[:3].mean(axis=0) for s in (0, 1)]
    code = SYMBOLS.index(bars["customdata"][0])
    assert numbers(bars["x"])[0] == pytest.approx((means[0][code] + means[1][code]) / 2)
    low, high = numbers(spread["x"])[:2]
    half = abs(means[0][code] - means[1][code]) / 2
    assert (high - low) / 2 == pytest.approx(np.sqrt(2) * half)  # of two values
    # beyond the three planted markers the toy scores are noise
    first, second = (set(np.argsort(-each)[:10]) for each in means)
    shared = len(first & second) / len(first | second)
    assert shared < 0.3
    assert (
        f"the seeds' top 10 share few genes (Jaccard {shared:.2f}). Raise the perturbed cells"
        in (texts(shown.warning))
    )


def test_a_label_that_no_gene_carries_is_warned_of(home, write, app):
    library = Library(home)
    data = add_dataset(library, LOCAL, write(toy(15)))
    result = explained()
    for source in result.quality:
        if source.method == "ig":  # B's logit hardly changes
            result.quality[source]["difference"] = np.repeat([0.01, 3.0, 2.0], 3)
    library.add(LOCAL, "attribution", "scores", lambda f: _filled(f, result, data))
    go(app.run(), "attribution")
    assert "all genes together change the logit of B by" in texts(app.warning)
    app.selectbox(key="type").set_value("Mono").run()
    assert not app.warning


def test_a_result_outlives_its_dataset(shown, kept, home):
    Library(home).delete(LOCAL, "dataset", kept[0].id)
    shown.query_params["attribution"] = kept[1].id
    confirm(shown)
    assert Library(home).list(LOCAL, "attribution")[0].meta["markers"]["builtin"]["B"] == "B cell"
    tab(shown, "One gene")
    assert "the explained ones alone" in texts(shown.info)
    assert "n = 9 cells." in texts(shown.caption)


@pytest.fixture
def form(made, app, home):
    """The page with a model and cells, nothing explained."""
    shutil.copytree(made, home)
    return go(app.run(), "attribution")


@pytest.mark.parametrize("value", [0, -1, 101, None])
def test_a_number_of_cells_that_cannot_be_used_is_told_in_words(form, value):
    form.number_input(key="attribution_cells").set_value(value).run()
    assert "Cells of each type: give a number from 1 to 100." in texts(form.caption)
    assert [b.disabled for b in form.button if b.key == "attribute"] == [True]


def test_no_method_is_told_in_words(form):
    form.multiselect(key="attribution_methods").set_value([]).run()
    assert "Choose a method first." in texts(form.caption)
    assert not form.exception


def test_only_what_concerns_the_models_encoders_can_be_chosen(form):
    # toy model: see _model
    keys = {box.key for box in form.selectbox}
    assert ("text_baseline" in keys, "scgpt_path" in keys) == (False, True)


def test_fewer_perturbed_cells_than_genes_are_warned_of(form, made):
    genes = np.median(np.diff(open_dataset(Library(made).list(LOCAL, "dataset")[0]).usable()
                              .expression.indptr))  # fmt: skip
    form.multiselect(key="attribution_methods").set_value(["lime", "shap"]).run()
    form.number_input(key="lime_samples").set_value(int(genes) - 1).run()
    assert "are fewer than the genes of a cell" in texts(form.warning)
    form.number_input(key="lime_samples").set_value(int(genes) + 1).run()
    assert "are fewer than the genes of a cell" not in texts(form.warning)
    form.number_input(key="permutations").set_value(5).run()
    assert "Give an even number" in texts(form.error)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a model of toy cells, and other toy cells; made once."""
    return home_with_model(tmp_path_factory.mktemp("made"), _model, 20)


def test_the_form_queues_a_job_and_its_result_is_shown(made, app, home):
    shutil.copytree(made, home)
    go(app.run(), "attribution")
    app.multiselect(key="attribution_methods").set_value(["occlusion", "lime"]).run()
    app.number_input(key="attribution_cells").set_value(2).run()
    app.number_input(key="lime_samples").set_value(50).run()
    # of 3 types 2 cells each, by two methods
    assert "At most 6 cells (2 of each of 3 types), 12 explanations" in texts(app.caption)
    press(app, "attribute")
    settings = JobBook(home).list(LOCAL)[0].settings
    kept = Library(home)
    assert settings == {
        "dataset": kept.list(LOCAL, "dataset")[0].id, "view": {}, "label": "cell_type",
        "model": kept.list(LOCAL, "model")[0].id, "methods": ["occlusion", "lime"],
        "types": None, "target": None, "cells": 2, "seeds": 1, "options": {"samples": 50},
    }  # fmt: skip
    assert [b.disabled for b in app.button if b.key == "attribute"] == [True]
    assert work(home)[0].state == "done"
    app.run()
    assert not app.exception
    assert "6 cells of 3 types explained" in texts(app.success)
    confirm(app)
    assert {"B", "Mono", "T"} == set(frame(app, "p hypergeometric (descriptive)").type)


def test_genes_can_be_taken_away_from_a_cell(made, app, home):
    shutil.copytree(made, home)
    library = Library(home)
    data, kept = library.list(LOCAL, "dataset")[0], library.list(LOCAL, "model")[0]
    cells, model = open_dataset(data).usable(), fusion.load(kept.folder / "model", choose_device())
    assert model.classes == CLASSES
    result = explained(model.name)
    library.add(LOCAL, "attribution", "scores",
                lambda f: _filled(f, result, data, model=kept.id))  # fmt: skip
    tab(go(app.run(), "attribution"), "One cell")
    gone = ["CD79A", "MS4A1"]
    next(m for m in app.multiselect if m.key.startswith("away_")).set_value(gone).run()
    assert not app.exception
    table = frame(app, "whole cell").set_index("type")
    cell = cells.take(np.flatnonzero(cells.ids == result.ids[0]))
    store = EmbeddingStore(home / "embeddings")
    whole = model.predict(cell, store, choose_device()).proba[0]
    values = cell.expression.toarray() * ~np.isin(cell.genes, gone)
    seeds = cell_seeds(cell)  # equals stay in the order of the whole cell
    less = replace(cell, expression=sp.csr_matrix(values), counts=None, tie_seeds=seeds)
    rest = model.predict(less, store, choose_device()).proba[0]
    for i, name in enumerate(CLASSES):
        assert table.loc[name, "whole cell"] == pytest.approx(whole[i], abs=1e-5)
        assert table.loc[name, "without 2 genes"] == pytest.approx(rest[i], abs=1e-5)
    # the model is so sure of toy cells that probabilities hardly move; logits do
    moved = model.sureness.temperature * np.log(rest / whole)
    assert table.loc["B", "change"] == pytest.approx(100 * (rest - whole)[0], abs=1e-3)
    change = table.loc[list(CLASSES), "change of the logit"].to_numpy()
    np.testing.assert_allclose(change - change[0], moved - moved[0], rtol=1e-3)
    assert change[CLASSES.index("B")] < -1  # two of its three planted markers are gone
    tiles = next(c for c in app.get("plotly_chart") if c.key.startswith("sentence"))
    taken = json.loads(tiles.proto.spec)["data"][2]["text"]
    assert sorted(taken) == [f"<s>{gene}</s><br>taken away" for gene in sorted(gone)]
    press(app, "put_back")
    assert next(m for m in app.multiselect if m.key.startswith("away_")).value == []
    assert "Take genes away" in texts(app.caption)


def test_costs_count_readings():
    assert readings("lime", Options(samples=500), 100) == 500
    assert readings("occlusion", Options(), 100) == 101
    assert readings("shap", Options(permutations=4), 100) == 400
    assert readings("ig", Options(steps=32), 100) == 2 * readings("ig", Options(steps=16), 100)
