"""The robustness card on planted cells: what must hold, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scmpt_core import fusion
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import DataError, ModelError
from scmpt_core.fusion import FAR, UNDECIDED, UNKNOWN, ModelSpec, make_task
from scmpt_core.fusion.search import QUICK
from scmpt_core.robustness import CARD, Card, Held, Outcome, load_card, make_card, save_card
from tests.conftest import toy
from tests.helpers import dataset_of


class Made:
    """A PCA model on toy cells, with its card."""

    def __init__(self, folder, group=None, counts=False) -> None:
        self.store, self.device = EmbeddingStore(folder), choose_device()
        dataset = dataset_of(toy(60))
        self.task = make_task(dataset, "cell_type", group)
        if counts:
            self.task.cells.__dict__["counts"] = dataset.adata.X.tocsr()
        self.model = fusion.train_model(
            self.task, ModelSpec(("pca",), "linear"), QUICK, 0, self.store, self.device, "toy"
        )
        self.card = make_card(self.model, self.task, self.store, self.device, "toy")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("grouped"), "donor", counts=True)


def test_as_trained_is_the_model_with_its_rule(made):
    (plain,) = made.card.of("as trained")
    rows = np.flatnonzero(made.model.own(made.task.cells, "test"))
    said = made.model.predict(made.task.cells.take(rows), made.store, made.device)
    truth = np.array(made.task.classes)[made.task.codes[rows]]
    labels = said.decide(fusion.Rule()).labels
    assert plain.outcome.n == len(rows)
    assert plain.outcome.all_unknown == pytest.approx(np.mean(labels == UNKNOWN))
    assert plain.outcome.wrong == pytest.approx(np.mean((labels != truth) & (labels != UNKNOWN)))
    assert plain.outcome.forced == pytest.approx(made.model.record["test"]["accuracy"])


def test_every_type_is_held_back_once(made):
    unseen = made.card.of("unseen type")
    assert [trial.name for trial in unseen] == list(made.model.classes)
    for trial in unseen:
        assert trial.outcome.n == (made.task.codes == made.task.classes.index(trial.name)).sum()
        assert trial.outcome.forced is None
        # whatever is named is wrong: the type was not there to be learnt
        assert trial.outcome.wrong + trial.outcome.all_unknown == pytest.approx(1)
        assert trial.name not in trial.outcome.confused
        assert trial.known.n > 0


def test_a_model_whose_unseen_types_mostly_get_labels_is_warned_of():
    def card(wrong: float) -> Card:
        held = Outcome(100, {}, wrong, {}, None)
        plain = Held("as trained", "as trained", Outcome(50, {}, 0.0, {}, 1.0))
        return Card("m", "d", (plain, *(Held("unseen type", t, held) for t in "ab")), {})

    assert card(0.1).warning == ""
    assert "does not know, 90% get one of its labels" in card(0.9).warning
    assert Card("m", "d", card(0.9).trials[:1], {}).mislabelled is None


def test_planted_types_that_are_unseen_are_mostly_told(made):
    unseen = made.card.of("unseen type")
    assert np.mean([trial.outcome.all_unknown for trial in unseen]) > 0.6
    assert np.mean([trial.known.all_unknown for trial in unseen]) < 0.4


def test_shifts_grow_and_small_panels_are_refused(made):
    panels = [t for t in made.card.of("shift") if t.name == "A smaller gene panel"]
    assert [t.strength for t in panels] == [0.95, 0.9, 0.8, 0.5, 0.25]
    assert panels[-1].refused
    lost = [t for t in made.card.of("shift") if t.name == "Genes dropped out"]
    assert lost[-1].outcome.forced < made.card.of("as trained")[0].outcome.forced
    assert made.card.about["left_out"] == {
        "depth": "the file holds no counts",
        "one group": "the model was not trained with groups",
    }


def test_groups_are_trained_on_one_by_one(grouped):
    trials = grouped.card.of("one group")
    assert sorted(t.name for t in trials) == ["d0", "d1", "d2", "d3"]
    for trial in trials:
        assert trial.outcome.n == (grouped.task.groups != trial.name).sum()
        assert trial.outcome.forced > 0.6
    depth = [t for t in grouped.card.of("shift") if t.name == "Sequenced less deeply"]
    assert len(depth) == 5
    assert depth[-1].outcome.forced < depth[0].outcome.forced
    assert "Trained on one donor alone" in " ".join(grouped.card.sentences())


def test_kept_beside_the_model(made, tmp_path):
    folder = tmp_path / "model"
    fusion.save(made.model, folder)
    assert load_card(folder) is None
    save_card(made.card, folder)
    assert load_card(folder) == made.card
    fusion.load(folder, made.device)  # still a model
    fusion.save(made.model, folder)  # and may be written over
    assert load_card(folder) is None
    (folder / CARD).write_text(json.dumps({"format": 1}))
    with pytest.raises(ModelError, match="damaged"):
        load_card(folder)


def test_other_cells_and_types_are_refused(made):

    few = replace(
        made.task, cells=made.task.cells.take(np.arange(100)), codes=made.task.codes[:100]
    )
    with pytest.raises(DataError, match="was tested on"):
        make_card(made.model, few, made.store, made.device, "toy")
    others = replace(made.task, classes=("A", "B", "C"))
    with pytest.raises(DataError, match="the file has A, B, C"):
        make_card(made.model, others, made.store, made.device, "toy")


def test_outcome_by_hand():
    labels = np.array(["T", "B", UNKNOWN, "B", UNKNOWN])
    reasons = np.array(["", "", FAR, "", UNDECIDED])
    truth = np.array(["T", "T", "B", "Mono", "B"])
    found = Outcome.of(labels, reasons, np.array(["T", "B", "B", "B", "T"]), truth)
    assert found == Outcome(5, {FAR: 0.2, UNDECIDED: 0.2}, 0.4, {"B": 0.4}, 0.4)


def test_a_card_saved_before_files_were_told_apart_is_read(made, tmp_path):
    save_card(made.card, tmp_path)
    value = json.loads((tmp_path / CARD).read_text())
    for trial in value["trials"]:
        del trial["base"], trial["refusals"]
    (tmp_path / CARD).write_text(json.dumps(value))
    assert load_card(tmp_path) == made.card
    n = made.card.plain.outcome.n
    assert made.card.sentences()[0].startswith(f"On its own {n} test cells ")


def test_sentences_of_several_files():
    good, bad = Outcome(10, {}, 0.05, {}, 0.95), Outcome(10, {FAR: 0.6}, 0.3, {"B": 0.3}, None)
    half, worse = Outcome(5, {}, 0.28, {}, 0.7), Outcome(5, {}, 0.32, {}, 0.7)
    card = Card("m", "d", (
        Held("as trained", "as trained", good, refusals={"xin": "too few"}),
        Held("shift", "Sequenced less deeply", worse, 0.5, base=half),  # by 4 points only
        Held("shift", "A smaller gene panel", bad, 0.5, refusals={"xin": "too few", "kang": "so"}),
        Held("shift", "Genes dropped out", bad, 0.1, refusals={"xin": "too few"}),
        Held("unseen type", "NK", bad, known=good),
        Held("one group", "xin", good), Held("one group", "kang", bad),
    ), {"tested_on": "cells of studies left out", "unseen_of": "of known studies",
        "group": "study"})  # fmt: skip
    text = " ".join(card.sentences())
    assert "On 10 cells of studies left out 5.0% get a wrong label and 0.0% are Unknown. " in text
    assert "would be refused as they are: xin. " in text
    assert "a type it was not trained on, of known studies, get a label" in text
    assert "Trained on one study alone, it errs on 30.0%" in text
    assert "at worst (kang) and calls at most 60.0% Unknown (kang)." in text
    assert "panel: from 0.5 on, wrong labels rise by more than 5 points (30.0%), though it " in text
    assert "would refuse kang." in text
    assert "out: from 0.1 on, wrong labels rise by more than 5 points (30.0%) without a" in text
    assert "unless the file is refused: Sequenced less deeply." in text


def test_sentences_name_the_worst():
    good, bad = Outcome(10, {}, 0.05, {}, 0.95), Outcome(10, {FAR: 0.2}, 0.8, {"B": 0.8}, None)
    card = Card("m", "d", (
        Held("as trained", "as trained", good),
        Held("unseen type", "NK", bad, known=good), Held("unseen type", "T", good, known=good),
        Held("shift", "Genes dropped out", good, 0.1),
        Held("shift", "Genes dropped out", bad, 0.25),
        Held("shift", "A smaller gene panel", bad, 0.5, refused="too few"),
    ), {})  # fmt: skip
    text = " ".join(card.sentences())
    assert "worst is NK, 80.0%, most often called B" in text
    assert "Genes dropped out: from 0.25 on" in text
    assert "unless the file is refused: A smaller gene panel." in text
