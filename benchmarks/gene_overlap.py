"""How accuracy falls as new cells measure less of what a model read in training.

    PYTHONPATH=. python benchmarks/gene_overlap.py FOLDER [--set NAME …] [--seeds N] [--json OUT]

``FOLDER`` holds the labelled .h5ad files. Each encoder with the linear head is trained on all
genes of a set; the test cells are then cut to gene panels of falling size: drawn at random, or the
genes that vary most among the training cells, as published files often are. Printed are, for each
panel, the share of the training window that it measures (mean over seeds) and the points of
accuracy lost against the same test cells with all genes. Splits and panels change with the seed.

The limits in ``scmpt_core/fusion/overlap.py`` come from the last table: for each encoder the
overlap at which the curve of a set, made monotone over all its panels and seeds (isotonic
regression), reaches two points; the highest of the sets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.isotonic import IsotonicRegression

from benchmarks.sets import open_set
from scmpt_core import fusion
from scmpt_core.cells import Cells
from scmpt_core.data import Split
from scmpt_core.data.ranked import highly_variable
from scmpt_core.device import Device, choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion.fits import Data
from scmpt_core.fusion.heads import Head
from scmpt_core.fusion.overlap import overlaps
from scmpt_core.fusion.search import QUICK
from scmpt_core.progress import silent
from scmpt_core.settings import get_settings

PANELS = {
    "random": (0.98, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.15),
    "variable": (0.7, 0.5, 0.3, 0.15, 0.05),
}
TOLERATED = 0.02  # of accuracy


@dataclass(frozen=True)
class Point:
    """One encoder on one panel of one split.

    Parameters
    ----------
    share
        Of all genes that the panel was to hold.
    overlap
        Share of the training window that the panel measures.
    lost
        Accuracy with all genes less accuracy on the panel.
    """

    encoder: str
    set: str
    kind: str
    share: float
    seed: int
    genes: int
    overlap: float
    accuracy: float
    lost: float


def panels(train: Cells, seed: int) -> Iterator[tuple[str, float, np.ndarray]]:
    """Kind, share of all genes, and symbols; the random ones lie within each other."""
    order = np.random.default_rng(seed).permutation(len(train.genes))
    for share in PANELS["random"]:
        yield "random", share, train.genes[order[: round(share * len(order))]]
    for share in PANELS["variable"]:
        yield "variable", share, train.genes[highly_variable(train, round(share * len(order)))]


def fit(x: np.ndarray, task: fusion.Task, split: Split, seed: int, device: Device) -> Head:
    """The linear head, as ``train`` fits it."""
    parts = [(x[rows], task.codes[rows]) for rows in (split.train, split.validation)]
    data = Data(*parts, len(task.classes), (x.shape[1],))
    return fusion.get_head("linear").fit(data, QUICK, seed, device, silent).head


def curve(encoder: str, name: str, args: argparse.Namespace) -> list[Point]:
    """All panels of one set and all seeds."""
    _, task = open_set(name, args.folder)
    out = []
    for seed in range(args.seeds):
        out += one_split(encoder, name, task, seed, args.cells)
    return out


def one_split(encoder: str, name: str, task: fusion.Task, seed: int, most: int) -> Iterator[Point]:
    """Train on the split of ``seed``, test ``most`` of its test cells on every panel."""
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    split = task.splits(seed)[0]
    loaded = fusion.load_encoders([encoder], device)
    encoders = fusion.fit_encoders(loaded, task.cells, split.train)
    head = fit(fusion.embed(encoders, task.cells, store)[encoder], task, split, seed, device)
    train = task.cells.take(split.train)
    windows = {encoder: encoders[encoder].window(train)}
    rows = np.random.default_rng(seed).permutation(split.test)[:most]
    test, truth = task.cells.take(rows), task.codes[rows]

    def accuracy(genes: np.ndarray) -> float:
        vectors = encoders[encoder].encode(test.restrict(set(genes)), silent)
        predicted = fusion.predict_logits(head, vectors, device).argmax(axis=1)
        return float((predicted == truth).mean())

    full = accuracy(train.genes)
    for kind, share, genes in panels(train, seed):
        overlap, reached = overlaps(windows, train.genes, genes)[encoder], accuracy(genes)
        yield Point(encoder, name, kind, share, seed, len(genes), overlap, reached, full - reached)


def limit(points: list[Point]) -> float:
    """The overlap at which the monotone curve of one set reaches what is tolerated."""
    x = np.array([1.0, *(p.overlap for p in points)])
    y = np.array([0.0, *(p.lost for p in points)])
    model = IsotonicRegression(increasing=False, out_of_bounds="clip").fit(x, y)
    grid = np.linspace(0, 1, 1001)
    return float(grid[model.predict(grid) <= TOLERATED].min())


def show(points: list[Point]) -> None:
    """Lines of the table: means over seeds."""
    for kind, share in dict.fromkeys((p.kind, p.share) for p in points):
        some = [p for p in points if (p.kind, p.share) == (kind, share)]
        genes, overlap, reached, lost = (
            np.mean([getattr(p, f) for p in some]) for f in ("genes", "overlap", "accuracy", "lost")
        )
        print(
            f"| {some[0].encoder} | {some[0].set} | {kind} {share:.0%} | {genes:,.0f} "
            f"| {overlap:.1%} | {reached:.3f} | {100 * lost:.1f} |",
            flush=True,
        )


def main() -> None:
    """Print the curves as Markdown, then the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", nargs="*", default=["demo", "zheng2017", "symphony"])
    parser.add_argument("--encoder", nargs="*", default=["scgpt-mini", "pca", "minilm"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=250, help="at most so many test cells")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    points = []
    print("| encoder | set | panel | genes | overlap | accuracy | points lost |")
    print("|---|---|---|---|---|---|---|")
    for encoder in args.encoder:
        for name in args.set:
            found = curve(encoder, name, args)
            show(found)
            points += found
    print("\n| encoder | " + " | ".join(args.set) + " | limit |")
    print("|---" * (len(args.set) + 2) + "|")
    for encoder in args.encoder:
        of = [limit([p for p in points if (p.encoder, p.set) == (encoder, s)]) for s in args.set]
        print(f"| {encoder} | " + " | ".join(f"{v:.1%}" for v in [*of, max(of)]) + " |")
    if args.json:
        args.json.write_text(json.dumps([asdict(p) for p in points], indent=1))


if __name__ == "__main__":
    main()
