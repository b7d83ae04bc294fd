"""The robustness card of a reference model, on toy studies, held to a count of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from scmpt_core.ablations import get_ablation
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import UNKNOWN, Rule, load, save
from scmpt_core.robustness import RULE, load_card, unlimited
from scripts.reference_data import read_study, sampled
from scripts.reference_model import Machine, Recipe, build, with_record
from scripts.reference_robustness import make
from scripts.reference_trials import Asked, Trials
from tests.conftest import SYMBOLS, toy
from tests.scripts.test_reference import CLASSES, TOY, source, study

MOST = 15
RECIPE = Recipe(per_type=20, views=1, least=0.0)
LIMITS = {"scgpt-mini": 0.8, "pca": 0.6}
LACKING = ("CD3E", "JUN", "FOS")  # genes that the second study does not measure
PANEL = "A smaller gene panel"
TOY_TWO = replace(TOY, sources=(source("one"), source("two")), tests=(), extra=())


class Made:
    """Two studies as files, a model of both, and its card."""

    def __init__(self, folder) -> None:
        for seed, name in enumerate(("one", "two")):
            adata = toy(seed=seed)
            kept = [g for g in SYMBOLS if name == "one" or g not in LACKING]
            adata = adata[:, kept].copy()
            if name == "two":  # log-normalised, as a study without counts is
                x = adata.X.toarray()
                adata.X = np.log1p(x / x.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
            adata.write_h5ad(folder / f"{name}.h5ad")
        self.machine = Machine(choose_device(), EmbeddingStore(folder / "store"))
        self.studies = [read_study(s, folder) for s in TOY_TWO.sources]
        model = build(self.studies, TOY_TWO, RECIPE, self.machine)
        self.folder = folder / "pbmc"
        save(with_record(model, overlap_limit=LIMITS), self.folder)
        numbers = {"record": model.record | {"overlap_limit": LIMITS}, "tests": [], "sources": []}
        (self.folder / "card.json").write_text(json.dumps(numbers))
        self.card = make(TOY_TWO, folder, self.folder, self.machine, MOST)

    def labels(self, model, cells) -> list[str]:
        """By the usual rule, whatever is measured."""
        said = unlimited(model).predict(cells, self.machine.store, self.machine.device)
        return said.decide(Rule()).labels.tolist()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("robust"))


@pytest.fixture(scope="module")
def by_hand(made):
    """Of each study, the model of the other and the cells that the card asked about."""
    out = []
    for held, other in (made.studies, made.studies[::-1]):
        model = build([other], TOY_TWO, RECIPE, made.machine)
        out.append((model, sampled(held, MOST, RECIPE.seed)))
    return out


def counted(labels: list[str], truth: np.ndarray) -> tuple[float, float]:
    """Shares of wrong labels and of Unknown."""
    wrong = unknown = 0
    for label, name in zip(labels, truth, strict=True):
        unknown += label == UNKNOWN
        wrong += label not in (UNKNOWN, name)
    return wrong / len(truth), unknown / len(truth)


def agree(outcome, labels, truth) -> None:
    wrong, unknown = counted(labels, truth)
    assert outcome.n == len(truth)
    assert outcome.wrong == pytest.approx(wrong)
    assert outcome.all_unknown == pytest.approx(unknown)


def test_every_study_is_judged_by_a_model_of_the_other(made, by_hand):
    labels = [label for model, held in by_hand for label in made.labels(model, held.cells)]
    truth = np.concatenate([held.labels for _, held in by_hand])
    assert len(truth) == 2 * 3 * MOST
    agree(made.card.plain.outcome, labels, truth)
    alone = made.card.of("one group")
    assert [trial.name for trial in alone] == ["one", "two"]
    # of two studies, one alone is the other left out
    for trial, (model, held) in zip(alone, by_hand[::-1], strict=True):
        agree(trial.outcome, made.labels(model, held.cells), held.labels)


def test_shifts_perturb_the_same_cells_and_counts_are_thinned_where_there_are_any(made, by_hand):
    thinned = [t for t in made.card.of("shift") if t.name == "Sequenced less deeply"]
    assert len(thinned) == 5
    model, held = by_hand[0]
    for trial in thinned:
        assert trial.outcome.n == 3 * MOST
        agree(trial.base, made.labels(model, held.cells), held.labels)
    there = get_ablation("depth").perturb(held.cells, None, 0.05, 0)
    agree(thinned[-1].outcome, made.labels(model, there), held.labels)
    lost = [t for t in made.card.of("shift") if t.name == "Genes dropped out"]
    assert all(t.outcome.n == 2 * 3 * MOST and t.base is None for t in lost)
    assert lost[-1].outcome.forced < made.card.plain.outcome.forced
    assert made.card.about["left_out"] == {"depth in two": "its file holds no counts"}


def test_a_file_is_refused_by_the_limits_of_the_model_that_ships(made, by_hand):
    panels = {t.strength: t for t in made.card.of("shift") if t.name == PANEL}
    for strength, trial in panels.items():
        refused = set()
        for model, held in by_hand:
            there = get_ablation("panel").perturb(held.cells, None, strength, 0)
            left = held.cells.genes[np.asarray(there.expression.sum(axis=0)).ravel() > 0]
            shares = {
                name: np.atleast_2d(weight)[:, np.isin(model.genes, left)].sum(axis=1).max()
                for name, weight in model.windows.items()
            }
            if any(shares[name] < limit for name, limit in LIMITS.items()):
                refused.add(held.name)
        assert set(trial.refusals) == refused
        assert bool(trial.refused) == (len(refused) == 2)
    assert panels[0.25].refused
    assert set(panels[0.8].refusals) == {"two"}  # which measures fewer genes of the other
    assert not panels[0.95].refusals
    assert not made.card.plain.refusals


def test_a_type_held_back_is_never_named_and_the_others_are_known(made, by_hand):
    unseen = made.card.of("unseen type")
    assert [trial.name for trial in unseen] == list(CLASSES)
    for trial in unseen:
        assert trial.outcome.n == 2 * MOST
        assert trial.known.n == 2 * 2 * MOST
        assert trial.outcome.forced is None
        assert trial.outcome.wrong + trial.outcome.all_unknown == pytest.approx(1)
        assert trial.name not in {*trial.outcome.confused, *trial.known.confused}
        assert trial.known.forced > 0.8  # chance is 1 in 2
    first = unseen[0]
    rest = [s.take(np.flatnonzero(s.labels != first.name)) for s in made.studies]
    model = build(rest, TOY_TWO, RECIPE, made.machine)
    asked = [held for _, held in by_hand]
    labels = np.concatenate([made.labels(model, held.cells) for held in asked])
    truth = np.concatenate([held.labels for held in asked])
    strange = truth == first.name
    agree(first.outcome, labels[strange], truth[strange])
    agree(first.known, labels[~strange], truth[~strange])


def test_the_card_stands_beside_a_model_that_still_loads_and_in_its_description(made):
    assert load_card(made.folder) == made.card
    model = load(made.folder, made.machine.device)
    assert made.card.model == model.name
    assert made.card.dataset == "one, two"
    assert made.card.about["rule"] == RULE.to_json()
    text = (made.folder / "README.md").read_text("utf-8")
    sentences = made.card.sentences()
    assert sentences[0].startswith(f"On {2 * 3 * MOST} cells of studies left out of training ")
    assert "Trained on one study alone" in " ".join(sentences)
    assert "not trained on, of studies that it was otherwise trained on, get" in " ".join(sentences)
    assert all(f"\n- {sentence}\n" in text for sentence in sentences)
    assert text.index("## Robustness") < text.index("## What it must not be used for")


def test_a_type_of_one_study_alone_is_not_tried_in_a_study_left_out():
    one, two = study("one"), study("two", 1)
    two = two.take(np.flatnonzero(two.labels != "B cell"))
    knows = {name: tuple(np.unique(s.labels)) for name, s in (("one", one), ("two", two))}
    trials = Trials(
        TOY_TWO, [one, two], tuple(CLASSES), LIMITS, RECIPE, None, None, MOST,
        {(name,): SimpleNamespace(classes=classes) for name, classes in knows.items()},
    )  # fmt: skip
    assert [set(each.study.labels) for each in trials.left] == [{"T cell", "monocyte"}] * 2
    assert "no model of the other studies" in trials.left_out()["B cell in a study left out"]
    assert trials.groups == ["one", "two"]


def test_cells_asked_about_keep_their_labels():
    whole = study()
    asked = Asked(SimpleNamespace(classes=("T cell", "B cell")), whole).of_known_types()
    assert asked.study.labels.tolist() == ["T cell"] * 40 + ["B cell"] * 40
    there = asked.shifted(get_ablation("panel"), 0.5)
    assert there.study.labels.tolist() == asked.study.labels.tolist()
    assert 0 < len(there.study.cells.genes) < len(whole.cells.genes)
