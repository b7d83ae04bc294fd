"""A comparison on disk: JSON for people and pages, arrays for maps, the models beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scmpt_core.data import PARTS
from scmpt_core.data.findings import Finding
from scmpt_core.errors import check_format, readable
from scmpt_core.evaluation.comparison import Comparison
from scmpt_core.evaluation.order import order_classes
from scmpt_core.fusion import save
from scmpt_core.fusion.fits import Epoch

FORMAT = 2
LEFT_OUT = "left out"  # part of cells without a usable label


@dataclass(frozen=True, eq=False)
class StoredComparison:
    """What the pages show of a finished comparison.

    Parameters
    ----------
    summary
        :meth:`Comparison.to_json`, with ``findings``.
    confusions
        Model → counts summed over the runs, (classes, classes), truth in rows.
    order
        Positions of the classes, near types side by side; one order for all models.
    histories
        Model → learning curve of each run, with its seed and fold.
    ids, truth, part
        Of each cell, (cells,): its id, class code (−1: left out), and its part in the first split
        (position in ``PARTS``; −1: left out).
    predicted, probability
        Model → (cells,), by the first split's model: class codes, and the calibrated probability
        of that class.
    maps
        Encoder → UMAP of its embedding, (cells, 2).
    """

    summary: dict
    confusions: dict[str, np.ndarray]
    order: np.ndarray
    histories: dict[str, list[tuple[int, int, tuple[Epoch, ...]]]]
    ids: np.ndarray
    truth: np.ndarray
    part: np.ndarray
    predicted: dict[str, np.ndarray]
    probability: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]

    @property
    def classes(self) -> list[str]:
        """Names by code."""
        return self.summary["dataset"]["classes"]

    @property
    def best(self) -> dict:
        """The row with the highest macro F1 among the models that can be saved."""
        return max(
            (row for row in self.summary["models"] if row["kind"] == "model"),
            key=lambda row: row["macro_f1"]["mean"],
        )

    @property
    def fitted(self) -> list[str]:
        """Models that can be looked at cell by cell, and saved; baselines cannot."""
        return [row["name"] for row in self.summary["models"] if row["kind"] == "model"]

    @property
    def findings(self) -> list[Finding]:
        """What was found about the labels."""
        return [Finding(**f) for f in self.summary["findings"]]

    def names(self, codes: np.ndarray) -> np.ndarray:
        """Class names of codes, ``left out`` for −1."""
        return np.array([*self.classes, LEFT_OUT])[codes]


def store(result: Comparison, maps: dict[str, np.ndarray], folder: Path) -> None:
    """Write a comparison into an empty folder; the models go to ``folder/models/<name>``."""
    task, first = result.task, result.splits[0]
    part = np.full(len(task.codes), -1, dtype=np.int8)
    for i, name in enumerate(PARTS):
        part[getattr(first, name)] = i
    arrays = {"ids": task.cells.ids, "truth": task.codes.astype(np.int16), "part": part}
    for model, proba in result.proba.items():
        arrays[f"predicted:{model}"] = proba.argmax(axis=1).astype(np.int16)
        arrays[f"probability:{model}"] = proba.max(axis=1).astype(np.float32)
    arrays |= {f"map:{name}": points.astype(np.float32) for name, points in maps.items()}
    confusions = {m: result.confusion(m) for m in result.models}
    fitted = [c for m, c in confusions.items() if m in result.fitted]
    summary = {
        "format": FORMAT,
        **result.to_json(),
        "findings": [f.to_json() for f in task.findings],
        "confusions": {m: c.tolist() for m, c in confusions.items()},
        "order": order_classes(np.sum(fitted, axis=0)).tolist(),
        "runs": [run.to_json() for run in result.runs],
    }
    np.savez_compressed(folder / "cells.npz", **arrays)
    (folder / "models").mkdir()
    for name, model in result.fitted.items():
        save(model, folder / "models" / name)
    text = json.dumps(summary, ensure_ascii=False, allow_nan=False)
    (folder / "comparison.json").write_text(text, encoding="utf-8")


def load_stored(folder: Path) -> StoredComparison:
    """Read what :func:`store` wrote.

    Raises
    ------
    ModelError
        A file is missing or damaged, or of a newer format.
    """
    with readable("The comparison"):
        data = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
        with np.load(folder / "cells.npz", allow_pickle=False) as arrays:
            cells = dict(arrays)
    check_format("The comparison", data.get("format"), FORMAT)
    histories: dict[str, list] = {}
    for run in data.pop("runs"):
        curve = tuple(Epoch(**epoch) for epoch in run["history"])
        histories.setdefault(run["model"], []).append((run["seed"], run["fold"], curve))

    def group(prefix: str) -> dict[str, np.ndarray]:
        return {k.split(":", 1)[1]: v for k, v in cells.items() if k.startswith(f"{prefix}:")}

    return StoredComparison(
        confusions={m: np.array(c) for m, c in data.pop("confusions").items()},
        order=np.array(data.pop("order")),
        summary=data,
        histories=histories,
        ids=cells["ids"],
        truth=cells["truth"],
        part=cells["part"],
        predicted=group("predicted"),
        probability=group("probability"),
        maps=group("map"),
    )
