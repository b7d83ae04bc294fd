"""Make the two models that ship: human blood (pbmc) and pancreatic islets (islets).

    PYTHONPATH=. python scripts/train_reference_models.py LABELLED_FOLDER [--tissue NAME]

For each: tests across studies (train on some, test on another), the curve of accuracy against genes
lost and the limits read off it, then the model of all studies. Written are the model's folder, its
card (README.md) and all figures (card.json).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import ScMPT, save
from scmpt_core.settings import get_settings
from scripts.reference_card import card
from scripts.reference_data import TISSUES, Tissue, read_study, sampled
from scripts.reference_model import Machine, Recipe, build, with_record
from scripts.reference_tests import cross_test, gene_loss, limits

TESTED = 400  # cells of each type of a study tested on, at most
MODELS = Path(__file__).parents[1] / "scmpt_core" / "assets" / "models"


def make(tissue: Tissue, folder: Path, out: Path, recipe: Recipe, machine: Machine) -> dict:
    """Test, fit and write one model; its card's numbers."""

    def say(text: str) -> None:
        print(f"{tissue.name}: {text}", file=sys.stderr, flush=True)

    studies = {s.name: read_study(s, folder) for s in (*tissue.sources, *tissue.extra)}
    tests = []

    def test(model: ScMPT, names: Sequence[str], held: str) -> None:
        train, new = [studies[n] for n in names], sampled(studies[held], TESTED, recipe.seed)
        tests.append(cross_test(model, train, new, recipe, machine).to_json())

    for names, held in tissue.tests:
        say(f"{' + '.join(names)} → {held}")
        model = build([studies[name] for name in names], tissue, recipe, machine)
        test(model, names, held)
    say("accuracy against genes lost")
    sources = [studies[s.name] for s in tissue.sources]
    points = gene_loss(sources, tissue, recipe, machine)
    limit = limits(points)
    say("the model of all studies")
    model = with_record(build(sources, tissue, recipe, machine), overlap_limit=limit)
    for extra in tissue.extra:
        test(model, [s.name for s in tissue.sources], extra.name)
    target = out / tissue.name
    target.mkdir(parents=True, exist_ok=True)
    numbers = {
        "name": tissue.name,
        "title": tissue.title,
        "record": model.record,
        "tests": tests,
        "panels": [vars(point) for point in points],
        "sources": [
            {
                "name": s.name,
                "citation": s.citation,
                "worth": s.worth,
                "cells": len(studies[s.name]),
            }
            for s in tissue.sources
        ],
    }
    for name in ("card.json", "README.md"):
        (target / name).unlink(missing_ok=True)  # a model's folder holds nothing else when saved
    save(model, target)  # a robustness card of the earlier model goes with it
    (target / "card.json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")
    (target / "README.md").write_text(card(tissue, numbers, target), encoding="utf-8")
    say("it has no robustness card now; run scripts/reference_robustness.py to make it")
    return numbers


def main() -> None:
    """Make one or both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tissue", choices=[t.name for t in TISSUES])
    parser.add_argument("--out", type=Path, default=MODELS)
    args = parser.parse_args()
    machine = Machine(choose_device(), EmbeddingStore(get_settings().embeddings))
    for tissue in TISSUES:
        if args.tissue in (None, tissue.name):
            make(tissue, args.folder, args.out, Recipe(), machine)


if __name__ == "__main__":
    main()
