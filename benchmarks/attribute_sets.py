"""Are the genes that carry the labels known markers? Types × methods on real sets.

    PYTHONPATH=. python benchmarks/attribute_sets.py LABELLED_FOLDER PANGLAODB_FILE
        [--set NAME …] [--method NAME …] [--cells N]

Trains the recommended model (grouped by donor where the set has donors), explains test cells of
each type, and prints, as Markdown, markers among the top 10 genes with p and q for every type,
method and way, beside the two yardsticks, and how many types pass q < 0.05. Labels that mean no
entry of the database by their words are matched by ``PAIRS``, a judgement of ours.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.sets import NAMES, open_set
from scmpt_core.attribution import METHODS, Request, attribute
from scmpt_core.attribution.judged import MarkerReport, judge_markers, make_yardsticks
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


def judged(name: str, folder: Path, markers: str, request: Request) -> tuple[MarkerReport, float]:
    """The report on one set, and seconds a cell of attribution."""
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    dataset, task = open_set(name, folder)
    budget = Plan.of(DEFAULT_FUSED, "quick", None, None, 1).budget
    model = train_model(task, recommended(DEFAULT_FUSED), budget, 0, store, device, name)
    labels = label_values(dataset.obs, task.label)
    start = time.perf_counter()
    result = attribute(model, task.cells, labels, request, store, device, name)
    seconds = (time.perf_counter() - start) / len(result.ids)
    database = open_database(markers)
    matches = accept_exact(result.type_names, database, PAIRS.get(name))
    yardsticks = make_yardsticks(task.cells, labels, model)
    return judge_markers(result, database, matches, yardsticks=yardsticks), seconds


def show(name: str, report: MarkerReport) -> None:
    """One row a type and one column a method and way; then how many pass."""
    rows = [row for row in report.rows if not row.correct_only]
    columns = list(dict.fromkeys((row.method, row.way) for row in rows))
    print(f"\n**{name}**, {report.database}\n")
    print("| type (entry) | " + " | ".join(f"{m}, {w}" for m, w in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    passed = dict.fromkeys(columns, 0)
    tested = dict.fromkeys(columns, 0)
    for kind in dict.fromkeys(row.type for row in rows):
        mine = {(row.method, row.way): row for row in rows if row.type == kind}
        cells = []
        for column in columns:
            row = mine[column]
            if row.test is None or row.test.p is None:
                cells.append("–")
                continue
            tested[column] += 1
            level = row.test.p if row.q is None else row.q
            passed[column] += level < Q
            mark = "**" if level < Q else ""
            cells.append(f"{mark}{row.test.overlap}{mark} (p {row.test.p:.4f})")
        print(f"| {kind} ({mine[columns[0]].entry}) | " + " | ".join(cells) + " |")
    print("| pass | " + " | ".join(f"{passed[c]} of {tested[c]}" for c in columns) + " |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("markers", help="a marker file, or builtin")
    parser.add_argument("--set", action="append", choices=NAMES)
    parser.add_argument("--method", action="append", choices=[m.name for m in METHODS])
    parser.add_argument("--cells", type=int, default=5)
    args = parser.parse_args()
    print(choose_device().reason)
    request = Request(tuple(args.method or ("ig", "occlusion")), args.cells)
    for name in args.set or ("zheng2017", "kang2018"):
        report, seconds = judged(name, args.folder, args.markers, request)
        show(name, report)
        print(f"\n{seconds:.1f} s a cell, {args.cells} cells a type", flush=True)


if __name__ == "__main__":
    main()
