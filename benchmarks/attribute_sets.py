"""Are the genes that carry the labels known markers? Types × methods on real sets.

    PYTHONPATH=. python benchmarks/attribute_sets.py LABELLED_FOLDER PANGLAODB_FILE
        [--set NAME …] [--method NAME …] [--cells N] [--permutations N] [--keep FOLDER]

Trains the recommended model (grouped by donor where the set has donors), explains test cells of
each type, and prints, as Markdown, markers among the top 10 genes with p for every type and method
beside the two yardsticks, and how many types pass q < 0.05 by the whole model and by each part.
Labels that mean no entry of the database by their words are matched by ``PAIRS``, a judgement of
ours. With ``--keep`` a run that was cut off goes on after its last explanation, and all scores stay
in the folder, as the command ``attribute`` writes them.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.sets import NAMES, open_set
from scmpt_core.attribution import METHODS, Options, Request, explain_cells
from scmpt_core.attribution.judged import (
    MarkerReport,
    ReportRow,
    judge_markers,
)
from scmpt_core.data import label_values
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_FUSED
from scmpt_core.evaluation import Plan
from scmpt_core.fusion import recommended, train_model
from scmpt_core.markers import accept_exact, open_database
from scmpt_core.settings import get_settings

Q = 0.05
PAIRS = {
    "zheng2017": {
        "CD14+ Monocyte": "Monocytes", "CD19+ B": "B cells", "CD34+": "Hematopoietic stem cells",
        "CD4+/CD25 T Reg": "T regulatory cells", "CD4+/CD45RA+/CD25- Naive T": "T cells naive",
        "CD4+/CD45RO+ Memory": "T memory cells", "CD4+ T Helper2": "T helper cells",
        "CD8+/CD45RA+ Naive Cytotoxic": "T cells naive",
    },
    "kang2018": {
        "CD14+ Monocytes": "Monocytes", "FCGR3A+ Monocytes": "Monocytes",
        "CD4 T cells": "T helper cells", "CD8 T cells": "T cytotoxic cells",
    },
}  # fmt: skip


def judged(
    name: str, folder: Path, markers: str, request: Request, keep: Path | None = None
) -> tuple[MarkerReport, float]:
    """The report on one set, and seconds a cell of attribution."""
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    dataset, task = open_set(name, folder)
    budget = Plan.of(DEFAULT_FUSED, "quick", None, None, 1).budget
    model = train_model(task, recommended(DEFAULT_FUSED), budget, 0, store, device, name)
    labels = label_values(dataset.obs, task.label)
    start = time.perf_counter()
    parts = None if keep is None else keep / name / "parts"
    found = explain_cells(model, task.cells, labels, request, store, device, name, told, parts)
    result = found.result
    seconds = (time.perf_counter() - start) / len(result.ids)
    database = open_database(markers)
    matches = accept_exact(result.type_names, database, PAIRS.get(name))
    if keep is not None:
        found.save(keep / name)
    return judge_markers(result, database, matches, yardsticks=found.yardsticks), seconds


def told(fraction: float, message: str) -> None:
    """Progress, on standard error."""
    print(f"\r\033[K{fraction:4.0%} {message}", end="", file=sys.stderr, flush=True)


def show(name: str, report: MarkerReport) -> None:
    """Of the whole model, a row a type and a column a method; then how many pass, by part."""
    rows = [row for row in report.rows if not row.correct_only]
    ways = list(dict.fromkeys(row.way for row in rows))
    methods = list(dict.fromkeys(row.method for row in rows))
    print(f"\n**{name}**, {report.database}\n")
    print("| type (entry) | " + " | ".join(methods) + " |")
    print("|---" * (len(methods) + 1) + "|")
    for kind in dict.fromkeys(row.type for row in rows):
        mine = {row.method: row for row in rows if row.type == kind and row.way == ways[0]}
        told = " | ".join(_told(mine[method]) for method in methods)
        print(f"| {kind} ({mine[methods[0]].entry}) | {told} |")
    print("\n| types that pass | " + " | ".join(methods) + " |")
    print("|---" * (len(methods) + 1) + "|")
    for way in ways:
        cells = []
        for method in methods:
            q = [r.q for r in rows if (r.way, r.method) == (way, method) and r.q is not None]
            cells.append(f"{sum(each < Q for each in q)} of {len(q)}" if q else "–")
        print(f"| {way} | " + " | ".join(cells) + " |")


def _told(row: ReportRow) -> str:
    if row.q is None:
        return "–"
    mark = "**" if row.q < Q else ""
    return f"{mark}{row.test.overlap}{mark} (p {row.test.p:.4f})"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("markers", help="a marker file, or builtin")
    parser.add_argument("--set", action="append", choices=NAMES)
    parser.add_argument("--method", action="append", choices=[m.name for m in METHODS])
    parser.add_argument("--cells", type=int, default=5)
    parser.add_argument("--permutations", type=int, default=Options().permutations, help="of SHAP")
    parser.add_argument("--keep", type=Path, help="a folder; a run that was cut off goes on")
    args = parser.parse_args()
    print(choose_device().reason)
    methods = tuple(args.method or (m.name for m in METHODS))
    request = Request(methods, args.cells, options=Options(permutations=args.permutations))
    for name in args.set or ("zheng2017", "kang2018"):
        report, seconds = judged(name, args.folder, args.markers, request, args.keep)
        show(name, report)
        print(f"\n{seconds:.1f} s a cell, {args.cells} cells a type", flush=True)


if __name__ == "__main__":
    main()
