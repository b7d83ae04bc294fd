"""Attributions against known markers: every type, method and way in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from scmpt_core.attribution.result import Attribution, TypeScores
from scmpt_core.cells import Cells
from scmpt_core.fusion import ScMPT
from scmpt_core.markers import (
    MarkerDatabase,
    MarkerTest,
    Match,
    TestKey,
    adjust,
    differential_expression,
    expression_ranks,
    find_markers,
    marker_test,
    mean_expression,
)

YARDSTICKS = "yardsticks.npz"
DIFFERENTIAL, HIGHEST = "differential expression", "highest expressed"


@dataclass(frozen=True, eq=False)
class Yardsticks:
    """Orders of genes that need no model: title → scores, (classes, genes)."""

    scores: dict[str, np.ndarray]


def make_yardsticks(cells: Cells, labels: np.ndarray, model: ScMPT) -> Yardsticks | None:
    """From the model's training cells; in another file, from all cells of its types.

    ``None`` where fewer than two of its types have a cell: nothing is differential then. A type
    without cells has the score 0 for every gene.

    Parameters
    ----------
    labels
        Type of each cell, (cells,).
    """
    shared = cells.restrict(set(model.genes))
    place = {name: code for code, name in enumerate(model.classes)}
    codes = np.array([place.get(str(label), -1) for label in labels])
    seen = np.isin(shared.ids, model.split_ids.get("train", []))
    mine = (codes >= 0) & (seen if (seen & (codes >= 0)).any() else True)
    present, inside = np.unique(codes[mine], return_inverse=True)
    if len(present) < 2:
        return None
    x = sp.csr_matrix(shared.expression[mine])
    made = {
        DIFFERENTIAL: differential_expression(x, inside, len(present)),
        HIGHEST: mean_expression(x, inside, len(present)),
    }
    out = {}
    for title, scores in made.items():
        out[title] = np.zeros((len(model.classes), x.shape[1]), np.float32)
        out[title][present] = scores
    return Yardsticks(out)


def save_yardsticks(yardsticks: Yardsticks, folder: Path) -> None:
    """Beside an attribution."""
    np.savez_compressed(folder / YARDSTICKS, **yardsticks.scores)


def load_yardsticks(folder: Path) -> Yardsticks | None:
    """Those beside an attribution; ``None`` where none were kept."""
    if not (folder / YARDSTICKS).is_file():
        return None
    with np.load(folder / YARDSTICKS, allow_pickle=False) as arrays:
        return Yardsticks(dict(arrays))


@dataclass(frozen=True)
class ReportRow:
    """One test.

    Parameters
    ----------
    method
        Of attribution, or the title of a yardstick.
    n
        Cells whose mean was tested.
    q
        Over all types, methods and ways with the same choice of cells; ``None`` for yardsticks,
        and where there is no p.
    """

    type: str
    entry: str | None
    method: str
    way: str
    correct_only: bool
    n: int
    test: MarkerTest | None
    q: float | None
    note: str

    def to_json(self) -> dict:
        """As a JSON object."""
        test = None if self.test is None else self.test.to_json()
        return {**self.__dict__, "test": test}


@dataclass(frozen=True)
class MarkerReport:
    """All tests, and what they were made against."""

    database: str
    k: int
    rows: list[ReportRow]

    def to_json(self) -> dict:
        """As a JSON object."""
        return {**asdict(self), "rows": [row.to_json() for row in self.rows]}


def judge_markers(
    result: Attribution,
    database: MarkerDatabase,
    matches: Sequence[Match],
    k: int = 10,
    draws: int = 10_000,
    seed: int = 0,
    yardsticks: Yardsticks | None = None,
) -> MarkerReport:
    """Test every type × method × way, over all its cells and over those labelled rightly.

    Only labels that are confirmed are tested; the others are listed with the reason. The
    yardsticks are held against the same cells and the genes that the whole model reads.
    """
    confirmed = {m.label: m.entry for m in matches if m.confirmed}
    rows: list[ReportRow] = []
    for correct_only in (False, True):
        rows += _judge(result, database, confirmed, k, draws, seed, yardsticks, correct_only)
    return MarkerReport(database.title, k, rows)


def _judge(
    result: Attribution, database: MarkerDatabase, confirmed: dict[str, str | None], k: int,
    draws: int, seed: int, yardsticks: Yardsticks | None, correct_only: bool,
) -> list[ReportRow]:  # fmt: skip
    titles = [] if yardsticks is None else list(yardsticks.scores)
    rows: list[ReportRow] = []
    tests: dict[TestKey, MarkerTest] = {}
    for name in result.type_names:
        entry = confirmed.get(name)
        mask = None
        if entry is not None:
            mask = find_markers(database.entry(entry), result.genes).mask(result.genes)
        asked = [(m, way) for m in result.methods for way in result.ways]
        asked += [(title, result.ways[0]) for title in titles]
        for method, way in asked:
            cells = result.cells_of(name, way, correct_only)
            scores = _scores(result, yardsticks, method, way, name, correct_only)
            note = _untested(scores, name, entry, name in confirmed)
            test = None
            if not note:
                ranks = expression_ranks(sp.csr_matrix(result.expression[cells]))
                test = marker_test(
                    result.genes, scores.mean, ranks, scores.seen, mask, k, draws, seed
                )
                note = test.note
                if method not in titles:
                    tests[TestKey(name, entry, method, way)] = test
            row = ReportRow(name, entry, method, way, correct_only, len(cells), test, None, note)
            rows.append(row)
    q = adjust(tests)
    return [
        ReportRow(**{**row.__dict__, "q": q.get(TestKey(row.type, row.entry, row.method, row.way))})
        if row.entry is not None
        else row
        for row in rows
    ]


def _scores(
    result: Attribution, yardsticks: Yardsticks | None, method: str, way: str, name: str,
    correct_only: bool,
) -> TypeScores | None:  # fmt: skip
    if method in result.methods:
        return result.over_seeds(method, way, name, correct_only)
    rows = result.cells_of(name, way, correct_only)
    if not len(rows):
        return None
    values = yardsticks.scores[method][result.classes.index(name)]
    return TypeScores(values, np.zeros_like(values), result.read_in(way, rows), len(rows))


def _untested(scores: TypeScores | None, name: str, entry: str | None, confirmed: bool) -> str:
    if not confirmed:
        return f"not tested: which entry {name!r} means is not confirmed"
    if entry is None:
        return f"not tested: the database has no entry for {name!r}"
    return "" if scores is not None else "not tested: no cell of this type was labelled rightly"
