"""How much cell-type information the frozen encoders carry: kNN and linear probe.

    PYTHONPATH=. python benchmarks/probe_encoders.py FOLDER [--cells 3000] [--json OUT.json]

``FOLDER`` holds labelled .h5ad files. For every file and encoder: macro F1 on the test cells,
mean over seeds (and over folds where whole donors are kept together), of

- kNN: 15 nearest training cells, by cosine for the encoders, Euclidean for ``pca``;
- linear: embedding standardised on the training cells, then logistic regression (C = 1).

``pca`` is fitted to the training cells of each split. ``untrained`` is the architecture and
vocabulary of scgpt-mini with random weights. ``--checkpoint`` adds folders in scGPT's layout.
``--part development`` scores the validation and calibration cells instead: what one may choose
a design by without looking at a test cell.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scmpt_core import fusion
from scmpt_core.cells import Cells
from scmpt_core.data import MIN_CLASS, Split, load
from scmpt_core.device import Device, choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders.base import Encoder, EncoderInfo
from scmpt_core.encoders.pca import PCAEncoder
from scmpt_core.encoders.registry import PCA_INFO, load_encoder, scgpt_mini_folder
from scmpt_core.encoders.scgpt import Checkpoint, ScGPT, ScGPTEncoder, load_checkpoint
from scmpt_core.fusion import Task
from scmpt_core.settings import get_settings

NEIGHBOURS = 15
PROBES = ("knn", "linear")
GROUPS = ("kang2018_pbmc_8donors=donor",)
Features = Callable[[Split], np.ndarray]  # PCA differs from split to split


def scgpt_encoder(name: str, checkpoint: Checkpoint, device: Device) -> ScGPTEncoder:
    """``checkpoint`` as an encoder of its own width."""
    width = checkpoint.model.config.embsize
    return ScGPTEncoder(EncoderInfo(name, "genes", width, "", "", ""), checkpoint, device)


def untrained(checkpoint: Checkpoint, seed: int) -> Checkpoint:
    """The same shape and vocabulary with PyTorch's random weights."""
    torch.manual_seed(seed)
    model = ScGPT(checkpoint.model.config).eval()
    return Checkpoint(model, checkpoint.vocabulary, f"untrained, seed {seed}, {model.config}")


def make_encoders(args: argparse.Namespace, device: Device) -> dict[str, Encoder | None]:
    """Name → encoder, in the order of the table; ``None`` stands for PCA, fitted later."""
    encoders: dict[str, Encoder | None] = {}
    for name in args.encoder:
        if name == "pca":
            encoders[name] = None
        elif name in ("scgpt-mini", "untrained"):
            checkpoint = load_checkpoint(scgpt_mini_folder())
            checkpoint = untrained(checkpoint, 0) if name == "untrained" else checkpoint
            encoders[name] = scgpt_encoder(name, checkpoint, device)
        else:
            encoders[name] = load_encoder(name, device)
    for folder in args.checkpoint:
        encoders[folder.name] = scgpt_encoder(folder.name, load_checkpoint(folder), device)
    return encoders


def subsample(task: Task, count: int) -> Task:
    """At most ``count`` cells, each class in proportion but never under ``MIN_CLASS``."""
    labelled = np.flatnonzero(task.codes >= 0)
    if not count or len(labelled) <= count:
        return task
    rng, chosen = np.random.default_rng(0), []
    for code in np.unique(task.codes[labelled]):
        members = np.flatnonzero(task.codes == code)
        size = max(round(count * len(members) / len(labelled)), MIN_CLASS)
        chosen.append(rng.permutation(members)[:size])
    rows = np.sort(np.concatenate(chosen))
    groups = None if task.groups is None else task.groups[rows]
    return replace(task, cells=task.cells.take(rows), codes=task.codes[rows], groups=groups)


def pca_scores(cells: Cells, split: Split) -> np.ndarray:
    """50 components, fitted to the training cells of ``split``."""
    encoder = PCAEncoder(PCA_INFO).fit(cells.take(split.train))
    return encoder.encode(cells, lambda *_: None)


def probe(features: np.ndarray, codes: np.ndarray, split: Split, metric: str, part: str) -> dict:
    """Macro F1 of both probes on one split."""
    development = np.concatenate([split.validation, split.calibration])
    scored = split.test if part == "test" else development
    fitted = {
        "knn": KNeighborsClassifier(NEIGHBOURS, metric=metric),
        "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    }
    return {
        name: float(
            f1_score(
                codes[scored],
                model.fit(features[split.train], codes[split.train]).predict(features[scored]),
                average="macro",
                zero_division=0,
            )
        )
        for name, model in fitted.items()
    }


def probe_task(task: Task, features: Features, metric: str, seeds: int, part: str) -> dict:
    """Means over seeds and folds."""
    splits = [split for seed in range(seeds) for split in task.splits(seed)]
    runs = [probe(features(s), task.codes, s, metric, part) for s in splits]
    return {name: float(np.mean([run[name] for run in runs])) for name in PROBES}


def run(args: argparse.Namespace) -> dict:
    """Every set and encoder; prints each line as it comes."""
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    encoders, groups = make_encoders(args, device), dict(g.split("=") for g in args.group)
    result: dict = {"part": args.part, "seeds": args.seeds, "sets": {}}
    for path in sorted(args.folder.glob("*.h5ad")):
        task = fusion.make_task(load(path), args.label, groups.get(path.stem))
        full = len(task.cells)
        task = subsample(task, args.cells)
        print(f"{path.stem}: {len(task.cells)} of {full} cells", flush=True)
        scores = {}
        for name, encoder in encoders.items():
            if encoder is None:
                features, metric = partial(pca_scores, task.cells), "euclidean"
            else:
                embedding, metric = store.get(encoder, task.cells), "cosine"
                features = lambda _split, e=embedding: e  # noqa: E731 - one line beats a class
            scores[name] = probe_task(task, features, metric, args.seeds, args.part)
            shown = "  ".join(f"{p} {scores[name][p]:.3f}" for p in PROBES)
            print(f"  {name:16} {shown}", flush=True)
        result["sets"][path.stem] = {"cells": len(task.cells), "of": full, "scores": scores}
    return result


def table(result: dict) -> str:
    """Markdown: sets down, encoders across, ``kNN / linear`` in each place, means last."""
    sets = result["sets"]
    names = list(next(iter(sets.values()))["scores"])
    lines = ["| set | cells | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for name, entry in sets.items():
        places = (" / ".join(f"{entry['scores'][e][p]:.3f}" for p in PROBES) for e in names)
        lines.append(f"| {name} | {entry['cells']} | " + " | ".join(places) + " |")
    means = (
        " / ".join(f"{np.mean([s['scores'][e][p] for s in sets.values()]):.3f}" for p in PROBES)
        for e in names
    )
    return "\n".join([*lines, "| mean | | " + " | ".join(means) + " |"])


def main() -> None:
    """Print the table; with ``--json`` write the figures too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--encoder", nargs="*", default=["scgpt-mini", "untrained", "pca", "minilm"]
    )
    parser.add_argument("--checkpoint", type=Path, nargs="*", default=[])
    parser.add_argument("--label", default="cell_type")
    parser.add_argument("--group", nargs="*", default=list(GROUPS), metavar="FILE=COLUMN")
    parser.add_argument("--cells", type=int, default=0, help="at most so many a set; 0: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--part", choices=("test", "development"), default="test")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    result = run(args)
    print(f"\nMacro F1 on {args.part} cells, {' / '.join(PROBES)}:\n{table(result)}")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
