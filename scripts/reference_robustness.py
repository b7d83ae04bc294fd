"""Make the robustness cards of the models that ship, with the trials of a saved model's card.

    PYTHONPATH=. python scripts/reference_robustness.py LABELLED_FOLDER [--tissue NAME]

Models like the one that ships are made anew: of all studies but one, which is then asked about, as
it is and shifted; of all studies without one type; and of one study alone. Written are the card
(robustness.json) beside the model, and README.md anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import read_config
from scmpt_core.fusion.search import QUICK
from scmpt_core.robustness import RULE, Card, save_card
from scmpt_core.settings import get_settings
from scripts.reference_card import card as written
from scripts.reference_data import TISSUES, Tissue, read_study
from scripts.reference_model import ENCODERS, Machine, Recipe
from scripts.reference_trials import MOST, Trials
from scripts.train_reference_models import MODELS


def make_card(trials: Trials, config: dict, say: Callable[[str], None]) -> Card:
    """Go through all trials.

    Parameters
    ----------
    config
        Of the model that ships.
    """
    say("robustness: models of all studies but one")
    plan, made = list(trials.plan()), []
    for i, (what, call) in enumerate(plan, 1):
        say(f"robustness, {i} of {len(plan)}: {what}")
        made.append(call())
    about = {
        "rule": RULE.to_json(), "seed": trials.recipe.seed, "group": "study",
        "label": config["label"], "left_out": trials.left_out(), "head": config["head"],
        "budget": QUICK.name, "encoders": list(ENCODERS),
        "studies": [study.name for study in trials.studies], "cells_a_type": trials.most,
        "tested_on": "cells of studies left out of training",
        "unseen_of": "of studies that it was otherwise trained on",
    }  # fmt: skip
    return Card(config["name"], config["dataset"], tuple(made), about)


def make(tissue: Tissue, folder: Path, target: Path, machine: Machine, most: int = MOST) -> Card:
    """Make the card of the model in ``target`` and write it and README.md there."""

    def say(text: str) -> None:
        print(f"{tissue.name}: {text}", file=sys.stderr, flush=True)

    config, numbers = read_config(target), json.loads((target / "card.json").read_text("utf-8"))
    recipe = Recipe(**{k: v for k, v in config["recipe"].items() if k != "training_rows"})
    studies = [read_study(source, folder) for source in tissue.sources]
    with tempfile.TemporaryDirectory() as scratch:
        trials = Trials(
            tissue, studies, tuple(config["classes"]), config["overlap_limit"], recipe, machine,
            EmbeddingStore(Path(scratch)), most,
        )  # fmt: skip
        card = make_card(trials, config, say)
    save_card(card, target)
    (target / "README.md").write_text(written(tissue, numbers, target), encoding="utf-8")
    return card


def main() -> None:
    """Make one or both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tissue", choices=[t.name for t in TISSUES])
    parser.add_argument("--out", type=Path, default=MODELS, help="folder of the models' folders")
    args = parser.parse_args()
    machine = Machine(choose_device(), EmbeddingStore(get_settings().embeddings))
    for tissue in TISSUES:
        if args.tissue in (None, tissue.name):
            make(tissue, args.folder, args.out / tissue.name, machine)


if __name__ == "__main__":
    main()
