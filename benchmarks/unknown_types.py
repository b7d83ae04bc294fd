"""Are cells of types that training lacked told from cells of known types?

    PYTHONPATH=. python benchmarks/unknown_types.py FOLDER [--set NAME …] [--seeds N] [--json OUT]

``FOLDER`` holds the labelled .h5ad files. Of each set every type in turn is left out of training
and calibration. Left-out cells are held against the known cells of the test part: AUROC of our
detector, and of 1 − the highest probability of a logistic regression on the same 50 principal
components of the same training cells (scores scaled as a whole, strength of L2 chosen by
cross-validation). Where donors are kept together, there is one round a fold, and left-out cells are
those of the test donors, so that donors differ for both sides alike.

The last columns say what one gets at the mark p ≤ 0.05: share of the known test cells that are
called Unknown (0.05 is promised where they are like the calibration cells) and of the left-out
cells. The goal: mean AUROC over types better than the peer's by 0.05, or at least 0.95.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from benchmarks.sets import NAMES, open_set
from scmpt_core import fusion
from scmpt_core.data import Split
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_ENCODERS
from scmpt_core.settings import get_settings
from scmpt_core.unknown import UnknownDetector

BETTER, ENOUGH, MARK = 0.05, 0.95, 0.05
FIELDS = ("ours", "peer", "known_called", "left_out_called")


@dataclass(frozen=True)
class Round:
    """One type left out of one split."""

    left_out: str
    cells: int  # left-out cells judged
    ours: float
    peer: float
    known_called: float
    left_out_called: float
    parts: dict[str, float]  # AUROC of each detector alone


def leave_out(
    task: fusion.Task, split: Split, code: int, vectors: dict[str, np.ndarray], seed: int
) -> Round | None:
    """Fit without type ``code``; ``None`` where no cell of it can be judged."""
    rows = split.test if task.groups is not None else np.arange(len(task.codes))
    strange = rows[task.codes[rows] == code]
    train, calibration, known = (
        part[task.codes[part] != code] for part in (split.train, split.calibration, split.test)
    )
    if not len(strange):
        return None
    detector = UnknownDetector.fit(task.cells, task.codes, train, calibration, vectors, seed)
    judged = np.concatenate([known, strange])
    cells, theirs = task.cells.take(judged), {name: x[judged] for name, x in vectors.items()}
    p, truth = detector.novelty(cells, theirs), np.isin(judged, strange)
    parts = detector.parts(cells, theirs)
    return Round(
        left_out=task.classes[code],
        cells=len(strange),
        ours=roc_auc_score(truth, detector.statistic(cells, theirs)),
        peer=roc_auc_score(truth, -confidence(task, train, judged, detector, seed)),
        known_called=float((p[~truth] <= MARK).mean()),
        left_out_called=float((p[truth] <= MARK).mean()),
        parts={name: roc_auc_score(truth, -values) for name, values in parts.items()},
    )


def confidence(
    task: fusion.Task, train: np.ndarray, judged: np.ndarray, detector: UnknownDetector, seed: int
) -> np.ndarray:
    """Highest probability of each judged cell by logistic regression on the same components."""
    fitted, new = (
        detector.pca.encode(task.cells.take(rows), lambda *_: None) for rows in (train, judged)
    )
    scale = fitted.std()
    search = GridSearchCV(
        LogisticRegression(max_iter=1000), {"C": [0.01, 0.1, 1.0, 10.0]}, scoring="neg_log_loss",
        cv=StratifiedKFold(3, shuffle=True, random_state=seed),
    )  # fmt: skip
    return search.fit(fitted / scale, task.codes[train]).predict_proba(new / scale).max(axis=1)


def run_set(name: str, folder: Path, seeds: int, encoders: list[str]) -> dict[str, list[Round]]:
    """Type → its rounds over seeds and folds."""
    _, task = open_set(name, folder)
    store, device = EmbeddingStore(get_settings().embeddings), choose_device()
    vectors = fusion.embed(fusion.load_encoders(encoders, device), task.cells, store)
    out: dict[str, list[Round]] = {name: [] for name in task.classes}
    for seed in range(seeds):
        for split in task.splits(seed):
            for code, left_out in enumerate(task.classes):
                found = leave_out(task, split, code, vectors, seed)
                out[left_out] += [found] if found else []
    return out


def mean(rounds: list[Round]) -> dict[str, float]:
    """Mean of each figure over rounds."""
    return {field: float(np.mean([getattr(r, field) for r in rounds])) for field in FIELDS}


def report(name: str, types: dict[str, list[Round]]) -> None:
    """Print one line a type, then the mean over types and whether the goal holds."""
    print(f"\n{name}\n  {'left out':32} cells   ours   peer   known ≤ {MARK}   left out ≤ {MARK}")
    means = {left_out: mean(rounds) for left_out, rounds in types.items() if rounds}
    for left_out, m in means.items():
        cells = round(np.mean([r.cells for r in types[left_out]]))
        print(f"  {left_out:32} {cells:5}  {line(m)}")
    total = {field: float(np.mean([m[field] for m in means.values()])) for field in FIELDS}
    gain = total["ours"] - total["peer"]
    holds = total["ours"] >= ENOUGH or gain >= BETTER
    verdict = "holds" if holds else "DOES NOT HOLD"
    print(f"  {'mean over types':32}        {line(total)}   {gain:+.3f}: the goal {verdict}")
    every = [r for rounds in types.values() for r in rounds]
    alone = {part: np.mean([r.parts[part] for r in every]) for part in every[0].parts}
    print("  each alone: " + ", ".join(f"{part} {value:.3f}" for part, value in alone.items()))


def line(m: dict[str, float]) -> str:
    """Figures of a type, in columns."""
    return (
        f"{m['ours']:.3f}  {m['peer']:.3f}   {m['known_called']:12.3f} {m['left_out_called']:17.3f}"
    )


def main() -> None:
    """Print a table a set; with ``--json`` write the rounds too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", nargs="*", choices=NAMES, default=NAMES)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--encoder", nargs="*", default=list(DEFAULT_ENCODERS))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    results = {}
    for name in args.set:
        results[name] = run_set(name, args.folder, args.seeds, args.encoder)
        report(name, results[name])
    if args.json:
        written = {
            set_name: [asdict(r) for rounds in types.values() for r in rounds]
            for set_name, types in results.items()
        }
        args.json.write_text(json.dumps(written, indent=1))


if __name__ == "__main__":
    main()
