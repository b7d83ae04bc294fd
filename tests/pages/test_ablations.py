"""The Ablations page with AppTest: try one, one's own genes, the form and its job, a result."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.ablations import (
    ABLATIONS,
    FAMILIES,
    Ablated,
    Answers,
    Known,
    Request,
    Setting,
    ablate,
    save_ablated,
    summarise,
    unperturbed,
)
from scmpt_core.ablations.possible import obstacle
from scmpt_core.data import label_values
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import reference
from scmpt_core.fusion.search import QUICK
from scmpt_core.jobs import JobBook
from scmpt_core.library import LOCAL, Library, add_dataset, open_dataset
from scmpt_core.robustness import Card, Held, Outcome, load_card, save_card
from scmpt_core.ui.ablations.cost import perturbations
from scmpt_core.ui.ablations.gene_set import find_symbols, read_symbols
from scmpt_core.ui.ablations.many import PRESETS
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.ablations.table import result_json, rows_table
from tests.conftest import toy
from tests.helpers import dataset_of
from tests.pages import test_pages as pages
from tests.pages.homes import home_with_model
from tests.pages.test_attribution import chart, entry_box, frame, press, tab, texts
from tests.pages.test_pages import go, work

app = pages.app
CLASSES = ("B", "Mono", "T")
WAYS = ("both", "minilm", "scgpt-mini")
ROWS = [
    Setting(regime, name, "", strength, seed)
    for regime in ("fixed", "refit")
    for name, strength, seed in (
        ("shuffle-within", 0.5, 0), ("shuffle-within", 0.5, 1), ("shuffle-within", 1.0, 0),
        ("shuffle-within", 1.0, 1), ("hash", 1.0, 0), ("shuffle-values", 1.0, 0),
    )
]  # fmt: skip


def answered(known: bool = True) -> Ablated:
    """12 cells, 4 a type: all right before; the k-th setting flips the first k+1 labels."""
    codes = np.repeat(np.arange(3), 4)
    first = Answers(codes.astype(np.int16), np.full(12, 0.9, np.float32))
    now = np.tile(codes, (6, 1))
    for k in range(6):
        now[k, : k + 1] = 2
    after = Answers(now.astype(np.int16), np.where(now == codes, 0.8, 0.1).astype(np.float32))
    keys = [(regime, way) for regime in ("fixed", "refit") for way in WAYS]
    settings = {
        "seeds": 2, "cells": None, "gene_set": [], "encoders": list(WAYS[1:]), "head": "stacking",
        "trained_on": "toy", "label": "cell_type", "normalisation": "log",
    }  # fmt: skip
    return Ablated(
        "both", "toy", CLASSES, np.array([f"cell{i}" for i in range(12)]), codes, known, None, None,
        tuple(ROWS), dict.fromkeys(keys, first), dict.fromkeys(keys, after), {"minilm": 60},
        {"depth": "the file holds no counts"}, settings,
    )  # fmt: skip


def keep(library, data, result: Ablated):
    """As the job does."""

    def fill(folder):
        save_ablated(result, folder)
        return {"dataset": data.id, "dataset_name": data.name, "view": data.meta["view"],
                "model_name": result.model, "label": "cell_type", "database": None,
                "ablations": ["hash", "shuffle-values", "shuffle-within"],
                "regimes": ["fixed", "refit"], "seeds": 2, "cells": 12}  # fmt: skip

    return library.add(LOCAL, "ablation", "toy by both", fill)


@pytest.fixture
def kept(home, write):
    """A home with toy cells and a result."""
    library = Library(home)
    data = add_dataset(library, LOCAL, write(toy(4)))
    return keep(library, data, answered())


@pytest.fixture
def shown(kept, app):
    """The page, open on it."""
    return go(app.run(), "ablations")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with toy cells and a model of them that reads sentences; made once."""

    def fill(place, home):
        task = fusion.make_task(dataset_of(toy(10)), "cell_type")
        spec = fusion.recommended(("minilm", "scgpt-mini"))
        store = EmbeddingStore(home / "embeddings")
        model = fusion.train_model(task, spec, QUICK, 0, store, choose_device(), "toy")
        fusion.save(model, place / "model")
        return {"model": model.name, "test": model.record["test"], "palette": list(CLASSES)}

    return home_with_model(tmp_path_factory.mktemp("made"), fill, 10)


@pytest.fixture
def asked(made, home, app):
    """The page with the form open."""
    shutil.copytree(made, home)
    return go(app.run(), "ablations")


def ask(app, name):
    app.session_state["ask"] = name
    app.run()
    assert not app.exception, name
    return app


def at(app, label):
    """The metric of this label."""
    return next(m.value for m in app.metric if m.label == label)


def run_here(home, name, **given):
    """What the core says of the kept model and cells."""
    library = Library(home)
    data, model = library.list(LOCAL, "dataset")[0], library.list(LOCAL, "model")[0]
    dataset = open_dataset(data)
    labels = label_values(dataset.obs, "cell_type")
    return ablate(
        fusion.load(model.folder / "model", choose_device()), dataset.usable(), Known(labels),
        Request((name,), **given), EmbeddingStore(home / "embeddings"), choose_device(), "toy",
    )  # fmt: skip


def test_an_empty_page_says_what_to_do(app, home):
    go(app.run(), "ablations")
    assert "No cells are open yet" in texts(app.info)
    assert not [b for b in app.button if b.key == "run_many"]


def test_trying_one_gives_the_cores_numbers(asked, home):
    press(asked, "go_try")
    result = run_here(home, "shuffle-before", cells=100)
    row = summarise(result)[0]
    first = unperturbed(result)[0]
    assert at(asked, "Macro F1") == f"{first['macro_f1']:.3f} → {row.macro_f1:.3f}"
    assert at(asked, "Labels flipped") == f"{row.flipped:.1%}"
    assert f"n = {row.n:,} cells" in texts(asked.caption)
    assert frame(asked, "part")["part"].tolist()[1] == "minilm alone"
    assert "scgpt-mini read nothing" in texts(asked.caption)


def test_another_choice_runs_at_once_and_is_kept(asked, home):
    press(asked, "go_try")
    asked.selectbox(key="ablation_family").set_value("content").run()
    asked.slider(key="strength_top-n").set_value(3).run()
    assert not asked.exception
    row = summarise(run_here(home, "top-n", strengths=(3.0,), cells=100))[0]
    assert at(asked, "Fall in probability") == f"{row.lost:.3f}"
    assert len(asked.session_state["ablation_trials"]) == 3


def test_the_sentence_shows_what_was_renamed(asked):
    asked.selectbox(key="ablation_family").set_value("identity").run()
    asked.selectbox(key="ablation_identity").set_value("lower-case").run()
    press(asked, "go_try")
    said = " ".join(h.proto.body for h in asked.get("html"))
    assert "under another name" in said
    assert ">≈cd3d <small" in said
    cell = asked.selectbox(key="sentence_cell_try")
    assert len(cell.options) == len(run_here_ids(asked))
    assert "p(" in texts(asked.markdown)


def run_here_ids(app):
    (result,) = app.session_state["ablation_trials"].values()
    return result.ids


def test_encoders_are_taken_away_one_at_a_time(asked):
    asked.selectbox(key="ablation_family").set_value("encoders").run()
    press(asked, "go_try")
    asked.selectbox(key="try_target").set_value("scgpt-mini").run()
    assert "Embedding zeroed (scgpt-mini)" in texts(asked.caption)
    assert "It changes no sentence" in texts(asked.caption)
    assert len(asked.session_state["ablation_trials"]) == 1  # all encoders at once


def test_what_is_lacking_is_said_instead_of_run(asked):
    asked.selectbox(key="ablation_family").set_value("content").run()
    offered = asked.selectbox(key="ablation_content")
    assert "The type's markers out (not here)" in offered.options
    asked.selectbox(key="ablation_content").set_value("no-markers").run()
    assert "needs known markers" in texts(asked.info)
    assert not [b for b in asked.button if b.key == "go_try"]
    asked.toggle(key="ablation_markers").set_value(True).run()
    for name, entry in (("B", "B cell"), ("Mono", "Monocyte"), ("T", "T cell")):
        entry_box(asked, name).set_value(entry)
    press(asked, "confirm_entries")
    assert "needs known markers" not in texts(asked.info)
    press(asked, "go_try")
    assert "The type's markers out" in texts(asked.caption)


def test_the_first_that_can_be_tried_is_offered(made, home, app, monkeypatch):
    lacking = Subject.lacking

    def order_is_not_read(self, info, genes):
        return "nothing reads it" if info.family == "order" else lacking(self, info, genes)

    monkeypatch.setattr(Subject, "lacking", order_is_not_read)
    shutil.copytree(made, home)
    page = go(app.run(), "ablations")
    assert page.selectbox(key="ablation_family").value == FAMILIES[1] != "order"
    assert "nothing reads it" not in texts(page.info)


def test_ones_own_genes(asked, home):
    ask(asked, "Your own genes")
    asked.text_area(key="gene_set").set_value("CD3D; lyz\tNOGENE").run()
    assert "2 of 3 are in the file" in texts(asked.caption)
    assert "Unknown here: NOGENE" in texts(asked.caption)
    press(asked, "go_genes")
    genes = frozenset({"CD3D", "LYZ"})
    row = summarise(run_here(home, "no-gene-set", gene_set=genes, cells=100))[0]
    assert at(asked, "Fall in probability") == f"{row.lost:.3f}"
    press(asked, "fill_housekeeping")
    assert set(asked.text_area(key="gene_set").value.split()) == {
        "MT-CO1", "MT-ND1", "RPS6", "RPL13", "EEF1A1",
    }  # fmt: skip


def test_the_form_queues_a_job_and_its_result_is_shown(asked, home):
    ask(asked, "Run many")
    assert "Left out: " in texts(asked.caption)
    asked.selectbox(key="ablation_preset").set_value("The paper's three").run()
    assert asked.multiselect(key="ablation_names").value == PRESETS["The paper's three"]
    asked.multiselect(key="regimes_many").set_value(["fixed", "refit"]).run()
    asked.number_input(key="ablation_cells").set_value(6).run()
    assert "3 perturbations of 30 cells, of which 6 are tested" in texts(asked.caption)
    assert "the head is fitted 4 times" in texts(asked.caption)
    press(asked, "run_many")
    settings = JobBook(home).list(LOCAL)[0].settings
    library = Library(home)
    assert settings == {
        "dataset": library.list(LOCAL, "dataset")[0].id, "view": {}, "label": "cell_type",
        "model": library.list(LOCAL, "model")[0].id, "markers": None, "database": None,
        "ablations": ["shuffle-before", "shuffle-top", "hash"], "regimes": ["fixed", "refit"],
        "curve": False, "seeds": 1, "cells": 6, "gene_set": [],
    }  # fmt: skip
    assert [b.disabled for b in asked.button if b.key == "run_many"] == [True]
    assert work(home)[0].state == "done"
    asked.run()
    assert not asked.exception
    assert "on 6 tested cells" in texts(asked.markdown)
    assert set(frame(asked, "the paper").columns) == {
        "ablation", "here, fixed", "here, refit", "the paper",
    }  # fmt: skip


def test_refit_is_left_out_where_the_training_cells_are_not(made, home, app, write):
    shutil.copytree(made, home)
    other = toy(10, seed=5)
    other.obs_names = [f"other{i}" for i in range(30)]
    add_dataset(Library(home), LOCAL, write(other, "other.h5ad"))
    ask(go(app.run(), "ablations"), "Run many")
    app.multiselect(key="regimes_many").set_value(["fixed", "refit"]).run()
    assert "refit is left out: this file holds 0 of the" in texts(app.warning)


def test_the_verdict_names_the_costliest_and_the_regimes(shown):
    said = texts(shown.success)
    rows = {(r.regime, r.ablation, r.strength): r for r in summarise(answered()) if r.way == "both"}
    worst = rows["fixed", "shuffle-values", 1.0]
    assert f"Values shuffled (100 %) {worst.macro_f1_drop:+.3f}" in said
    assert "fixed: the model as trained" in said
    assert "refit: its head fitted anew" in said
    assert "the file holds no counts" in texts(shown.caption)
    assert "another dataset and another encoder" in texts(shown.caption)


def test_the_board_shows_both_regimes_and_one(shown, kept):
    assert "hatched: refit" in texts(shown.caption)
    bars = [t for t in chart(shown, "board")["data"] if t["type"] == "bar"]
    assert sum(len(t["y"]) for t in bars) == 6  # three ablations under two regimes
    shown.selectbox(key=f"regime_{kept.id}").set_value("fixed").run()
    assert "Regime: fixed" in texts(shown.caption)
    shown.selectbox(key=f"way_{kept.id}").set_value("minilm").run()
    bars = [t for t in chart(shown, "board")["data"] if t["type"] == "bar"]
    assert sum(len(t["y"]) for t in bars) == 2  # a text encoder reads no values


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Curve", "one standard deviation over 2 draws. Dotted: unperturbed"),
        ("By type", "Drop in recall of both, fixed"),
    ],
)
def test_every_other_tab(shown, name, said):
    tab(shown, name)
    assert said in texts(shown.caption)


def test_without_known_types_flips_are_shown(home, write, app):
    library = Library(home)
    keep(library, add_dataset(library, LOCAL, write(toy(4))), answered(known=False))
    go(app.run(), "ablations")
    assert "by share of labels that flip: Values shuffled (100 %) 50.0%" in texts(app.success)
    assert "Share of labels that flip of both" in texts(app.caption)
    for name, said in (("Curve", "share of labels that flip on n = 12 cells"),
                       ("By type", "Share of labels that flip of both, fixed")):  # fmt: skip
        assert said in texts(tab(app, name).caption)
    table = frame(tab(app, "Table"), "title")
    assert "macro_f1" not in table
    assert table["flipped"].max() == pytest.approx(0.5)


def test_a_result_is_deleted_and_comes_back(shown, kept, home):
    press(shown, f"delete_{kept.id}")
    assert not Library(home).list(LOCAL, "ablation")
    press(shown, f"restore_{kept.id}")
    assert Library(home).list(LOCAL, "ablation")[0].id == kept.id


def test_files_hold_every_row():
    result = answered()
    rows = summarise(result)
    frame = rows_table(rows)
    assert len(frame) == len(rows) == 2 * (4 + 2 * 2)  # two of three ablations reach minilm
    line = frame[(frame.regime == "refit") & (frame.way == "both") & (frame.ablation == "hash")]
    row = next(r for r in rows if (r.regime, r.way, r.ablation) == ("refit", "both", "hash"))
    assert line["macro_f1_drop_low"].item() == pytest.approx(row.interval.low)
    assert line["accuracy"].item() == pytest.approx(7 / 12)  # five of twelve flipped
    whole = json.loads(result_json(result, rows))
    assert len(whole["rows"]) == len(rows)
    assert whole["skipped"] == result.skipped


def test_symbols_are_read_whatever_stands_between():
    text = "CD3D, HLA-DRA;\nMT-CO1|'lyz'  CD3D (H2-K1)\tAC012345.1"
    assert read_symbols(text) == ["CD3D", "HLA-DRA", "MT-CO1", "lyz", "H2-K1", "AC012345.1"]
    genes = np.array(["CD3D", "LYZ", "Fos", "FOS"])
    assert find_symbols(["CD3D", "lyz", "FOS", "fos", "X"], genes) == (
        frozenset({"CD3D", "LYZ", "FOS"}), ["fos", "X"],
    )  # fmt: skip


def test_perturbations_are_counted_for_each_encoder():
    encoders = {"minilm": "text", "pca": "expression"}
    request = Request(("shuffle-within", "dropout", "zero-block", "reverse-within"),
                      ("fixed", "refit"), curve=True, seeds=2)  # fmt: skip
    # 4 strengths × 2 draws each; one block of each of two encoders; one reversal
    assert perturbations(request, encoders) == (8 + 8 + 2 + 1, {"minilm": 17, "pca": 8})


def test_what_is_left_out_is_what_the_core_would_skip(made):
    """On the kept model, without counts, markers or a gene set."""
    library = Library(made)
    dataset = open_dataset(library.list(LOCAL, "dataset")[0])
    model = fusion.load(library.list(LOCAL, "model")[0].folder / "model", choose_device())
    cells = dataset.usable().take(np.arange(2))
    cells = type(cells)(cells.expression, cells.genes, cells.ids)
    result = ablate(
        model, cells, Known(), Request(cells=2), EmbeddingStore(made / "embeddings"),
        choose_device(), "toy",
    )  # fmt: skip
    modalities = [encoder.info.modality for encoder in model.encoders.values()]
    have = {"counts": False, "markers": False, "gene set": False}
    ours = {info.name for info in ABLATIONS if obstacle(info, modalities, have, False)}
    assert ours == set(result.skipped)
    every = dict.fromkeys(have, True)
    alone = {i.name for i in ABLATIONS if obstacle(i, ["expression"], every, False)}
    assert alone == {
        i.name for i in ABLATIONS if i.family == "encoders" or "expression" not in i.acts_on
    }


def test_the_robustness_card_is_made_kept_and_shown(asked, home):
    ask(asked, "Robustness card")
    assert "one for each type" in texts(asked.caption)
    press(asked, "robustness")
    (job,) = work(home)[:1]
    assert (job.kind, job.state) == ("robustness", "done"), job.error
    folder = Library(home).list(LOCAL, "model")[0].folder / "model"
    card = load_card(folder)
    assert {trial.name for trial in card.of("unseen type")} == set(CLASSES)
    ask(asked.run(), "Robustness card")
    assert texts(asked.markdown).count(card.sentences()[0]) == 2  # where the model is described too
    assert "type that training lacked" in texts(asked.caption)
    assert "Not tried: one group" in texts(asked.caption)
    (bars,) = [json.loads(c.proto.spec)["data"] for c in asked.get("plotly_chart")
               if "robust_types" in c.proto.id]  # fmt: skip
    assert len(bars) == 3


def test_the_card_of_a_model_that_ships_says_what_it_is_of(made, asked, monkeypatch, tmp_path):
    folder = tmp_path / "models" / "pbmc"
    shutil.copytree(next((made / "items" / "model").iterdir()) / "model", folder)
    monkeypatch.setattr(reference, "FOLDER", folder.parent)
    asked.selectbox(key="classify_model").set_value("pbmc")
    ask(asked, "Robustness card")
    assert "reference_robustness.py" in texts(asked.caption)
    half, plain = Outcome(5, {}, 0.4, {}, 0.6), Outcome(9, {"undecided": 0.2}, 0.1, {"B": 0.1}, 0.8)
    save_card(Card("m", "d", (
        Held("as trained", "as trained", plain),
        Held("shift", "Sequenced less deeply", plain, 0.5, base=half),
        Held("shift", "A smaller gene panel", plain, 0.5, refusals={"one": "too few"}),
        Held("unseen type", "NK", plain, known=half), Held("one group", "two", plain),
    ), {"studies": ["one", "two"], "cells_a_type": 150, "group": "study",
        "tested_on": "cells of studies left out of training",
        "left_out": {"depth in two": "its file holds no counts"}}), folder)  # fmt: skip
    ask(asked, "Robustness card")
    assert texts(asked.markdown).count("On 9 cells of studies left out of training 10.0%") == 1
    assert "made of its own studies (one, two)" in texts(asked.caption)
    assert "What becomes of 5 test cells." in texts(asked.caption)
    assert "It would refuse that of one at 50 %." in texts(asked.caption)
    assert "Trained on one study alone" in texts(asked.markdown)
    assert "models that you saved" in texts(asked.info)
    assert "robustness" not in [b.key for b in asked.button]
    (bars,) = [json.loads(c.proto.spec)["data"] for c in asked.get("plotly_chart")
               if "robust_Sequenced" in c.proto.id]  # fmt: skip
    assert [bar["customdata"][0][1] for bar in bars] == [5, 5, 5]
