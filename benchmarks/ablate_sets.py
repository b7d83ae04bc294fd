"""Every ablation on labelled sets, under both regimes.

    PYTHONPATH=. python benchmarks/ablate_sets.py LABELLED_FOLDER [--set NAME …] [--regime NAME …]
        [--seeds N] [--ablation NAME …] [--cells N] [--markers panglaodb|builtin|FILE]

For each set the recommended fusion is trained on the split of seed 0 (quick grid) and every
ablation is made at its default strength. Printed, as Markdown: macro F1 on the test cells without
any, then what each ablation costs in points, ``fixed / refit``, for the whole model and for each
encoder's part of it, with the 95 % bootstrap interval of the whole model's; the paper's figures
for its own three.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.compare_sets import table
from benchmarks.sets import NAMES, open_set, sampled
from scmpt_core import fusion
from scmpt_core.ablations import (
    PAPERS,
    REGIMES,
    Ablated,
    Known,
    Request,
    Row,
    ablate,
    marker_sets,
    summarise,
    title_of,
    unperturbed,
)
from scmpt_core.device import Device, choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_FUSED
from scmpt_core.fusion.search import QUICK
from scmpt_core.markers import MarkerDatabase, accept_exact, open_database
from scmpt_core.settings import get_settings


def ablated(
    name: str, folder: Path, cells: int | None, request: Request, database: MarkerDatabase,
    store: EmbeddingStore, device: Device,
) -> Ablated:  # fmt: skip
    """Train on the set, or about ``cells`` of it, then perturb it."""
    task = sampled(open_set(name, folder)[1], cells)
    spec = fusion.recommended(DEFAULT_FUSED)
    model = fusion.train_model(task, spec, QUICK, 0, store, device, name)
    matches = accept_exact(model.classes, database)
    known = Known(
        np.append(task.classes, "")[task.codes], task.groups,
        marker_sets(model.classes, matches, database, task.cells.genes),
    )  # fmt: skip
    return ablate(model, task.cells, known, request, store, device, name)


def show(name: str, result: Ablated) -> None:
    """One table: ablations in rows; the whole model and its parts, each regime, in columns."""
    regimes, ways = result.regimes, result.ways
    first = {(r["regime"], r["way"]): r["macro_f1"] for r in unperturbed(result)}
    at: dict[tuple, dict] = {}
    for row in summarise(result):
        key = (row.ablation, row.target, row.strength)
        at.setdefault(key, {})[row.regime, row.way] = row
    order = sorted(at, key=lambda key: -at[key][regimes[0], ways[0]].macro_f1_drop)
    before = [" / ".join(f"{first[r, w]:.3f}" for r in regimes) for w in ways]
    rows = [["**macro F1, unperturbed**", *before, "–", ""]]
    for key in order:
        cells = [
            " / ".join(_cost(at[key][r, way], way == ways[0]) for r in regimes)
            if (regimes[0], way) in at[key]
            else "·"
            for way in ways
        ]
        flipped = " / ".join(f"{at[key][r, ways[0]].flipped:.0%}" for r in regimes)
        rows.append([title_of(*key), *cells, flipped, PAPERS.get(key[0], "")])
    print(f"\n**{name}**, {len(result.ids):,} test cells; {' / '.join(regimes)}")
    table(["points of macro F1", *ways, "labels flipped", "the paper: Aorta, Ember-V1"], rows)
    for ablation, why in result.skipped.items():
        print(f"\nNot made: {ablation} ({why}).")


def _cost(row: Row, interval: bool) -> str:
    """Points gained; 0.0 has no sign of its own."""
    text = f"{0.0 - 100 * row.macro_f1_drop:+.1f}"
    if interval and row.interval is not None:
        low, high = (0.0 - 100 * end for end in (row.interval.high, row.interval.low))
        text += f" ({low:+.1f} to {high:+.1f})"
    return text


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", choices=NAMES)
    parser.add_argument("--regime", action="append", choices=list(REGIMES))
    parser.add_argument("--ablation", action="append")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cells", type=int, help="about this many of a set, drawn by class")
    parser.add_argument("--markers", default="builtin")
    args = parser.parse_args()
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    database = open_database(args.markers)
    regimes = tuple(args.regime or REGIMES)
    request = Request(
        tuple(args.ablation) if args.ablation else None, regimes, seeds=args.seeds,
    )  # fmt: skip
    print(f"{device.reason}; markers: {database.title}")
    for name in args.set or ("demo", "zheng2017"):
        start = time.perf_counter()
        result = ablated(name, args.folder, args.cells, request, database, store, device)
        show(name, result)
        print(f"\n{name}: {time.perf_counter() - start:,.0f} s, cells encoded {result.encoded}")


if __name__ == "__main__":
    main()
