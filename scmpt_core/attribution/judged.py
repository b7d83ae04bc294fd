"""Attributions against known markers: every type, method and way in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from scmpt_core.attribution.result import Attribution, TypeScores
from scmpt_core.cells import Cells
from scmpt_core.errors import readable
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
    """Orders of genes that need no model.

    Parameters
    ----------
    scores
        Title → scores, (classes, genes).
    cells
        How many cells they are made from.
    training
        They are the model's training cells; otherwise all cells of its types in another file,
        those explained among them.
    predicted
        Their types are what the model predicts, since the file has none that it knows.
    """

    scores: dict[str, np.ndarray]
    cells: int
    training: bool
    predicted: bool = False

    @property
    def source(self) -> str:
        """Which cells they are made from, in words."""
        which = (
            f"the model's {self.cells:,} training cells"
            if self.training
            else f"all {self.cells:,} cells of its types in this file, those explained among them"
        )
        return f"{which}, by the type that it predicts" if self.predicted else which


def make_yardsticks(
    cells: Cells, labels: np.ndarray, model: ScMPT, predicted: bool = False
) -> Yardsticks | None:
    """From the model's training cells; in another file, from all cells of its types.

    ``None`` where fewer than two of its types have a cell: nothing is differential then. A type
    without cells has the score 0 for every gene.

    Parameters
    ----------
    labels
        Type of each cell, (cells,).
    predicted
        They are what the model predicts.
    """
    shared = cells.restrict(set(model.genes))
    place = {name: code for code, name in enumerate(model.classes)}
    codes = np.array([place.get(str(label), -1) for label in labels])
    seen = model.own(shared, "train")
    training = bool((seen & (codes >= 0)).any())
    mine = (codes >= 0) & (seen if training else True)
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
    return Yardsticks(out, int(mine.sum()), training, predicted)


def save_yardsticks(yardsticks: Yardsticks, folder: Path) -> None:
    """Beside an attribution."""
    arrays = {f"score:{title}": scores for title, scores in yardsticks.scores.items()}
    about = {name: getattr(yardsticks, name) for name in ("cells", "training", "predicted")}
    np.savez_compressed(folder / YARDSTICKS, **arrays, **about)


def load_yardsticks(folder: Path) -> Yardsticks | None:
    """Those beside an attribution; ``None`` where none were kept."""
    if not (folder / YARDSTICKS).is_file():
        return None
    with readable("The yardsticks"), np.load(folder / YARDSTICKS, allow_pickle=False) as arrays:
        if "cells" not in arrays:  # of an earlier version, which did not say of which cells
            return None
        scores = {n[6:]: values for n, values in arrays.items() if n.startswith("score:")}
        flags = (bool(arrays[name]) for name in ("training", "predicted"))
        return Yardsticks(scores, int(arrays["cells"]), *flags)


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
        Over all types, methods and ways with the same choice of cells; of yardsticks, over all
        types and yardsticks. ``None`` where there is no p.
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

    The latter only where the types are known: a predicted type is right by definition. The markers
    are those of the class whose logit was explained. Only labels that are confirmed are tested;
    the others are listed with the reason. The yardsticks are held against the same cells and the
    genes that the whole model reads.
    """
    confirmed = {m.label: m.entry for m in matches if m.confirmed}
    rows: list[ReportRow] = []
    for correct_only in (False, True) if result.known else (False,):
        rows += _judge(result, database, confirmed, k, draws, seed, yardsticks, correct_only)
    return MarkerReport(database.title, k, rows)


def _judge(
    result: Attribution, database: MarkerDatabase, confirmed: dict[str, str | None], k: int,
    draws: int, seed: int, yardsticks: Yardsticks | None, correct_only: bool,
) -> list[ReportRow]:  # fmt: skip
    titles = [] if yardsticks is None else list(yardsticks.scores)
    rows: list[ReportRow] = []
    tests: dict[TestKey, MarkerTest] = {}
    plain: dict[TestKey, MarkerTest] = {}  # of yardsticks, which are a question of their own
    for name in result.type_names:
        explained = result.explained(name)
        entry = confirmed.get(explained)
        mask = None
        if entry is not None:
            mask = find_markers(database.entry(entry), result.genes).mask(result.genes)
        asked = [(m, way) for m in result.methods for way in result.ways]
        asked += [(title, result.ways[0]) for title in titles]
        for method, way in asked:
            cells = result.cells_of(name, way, correct_only)
            scores = _scores(result, yardsticks, method, way, name, correct_only)
            note = _untested(scores, explained, entry, explained in confirmed)
            test = None
            if not note:
                ranks = expression_ranks(sp.csr_matrix(result.expression[cells]))
                test = marker_test(
                    result.genes, scores.mean, ranks, scores.seen, mask, k, draws, seed
                )
                note = test.note
                family = plain if method in titles else tests
                family[TestKey(name, entry, method, way)] = test
            row = ReportRow(name, entry, method, way, correct_only, len(cells), test, None, note)
            rows.append(row)
    q = adjust(tests) | adjust(plain)
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
    values = yardsticks.scores[method][result.classes.index(result.explained(name))]
    return TypeScores(values, np.zeros_like(values), result.read_in(way, rows), len(rows))


def _untested(scores: TypeScores | None, name: str, entry: str | None, confirmed: bool) -> str:
    if not confirmed:
        return f"not tested: which entry {name!r} means is not confirmed"
    if entry is None:
        return f"not tested: the database has no entry for {name!r}"
    return "" if scores is not None else "not tested: no cell of this type was labelled rightly"
