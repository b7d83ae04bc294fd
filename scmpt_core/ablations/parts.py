"""Which cells an ablation tests on, and which a head is refitted on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.data import PARTS, Split
from scmpt_core.errors import DataError
from scmpt_core.fusion import ScMPT


@dataclass(frozen=True, eq=False)
class Parts:
    """Positions in the file.

    Parameters
    ----------
    rows
        All cells that are needed, rising, (cells,).
    test
        Of ``rows`` the tested ones.
    split
        Of ``rows`` the parts that a head is refitted on; ``None`` where none is.
    """

    rows: np.ndarray
    test: np.ndarray
    split: Split | None


def find_parts(
    model: ScMPT, cells: Cells, codes: np.ndarray, most: int | None, refit: bool
) -> Parts:
    """The cells that the model was tested on; in another file, all that it knows the type of.

    Drawn by their ids where there are more than ``most``.

    Raises
    ------
    DataError
        There is no cell to test on, or, to refit, not all of the model's training cells.
    """
    able = (codes >= 0) & (np.diff(cells.expression.indptr) > 0)
    tested = able & model.own(cells, "test")
    if not tested.any():
        if refit:
            raise DataError(
                f"None of the cells that {model.name} was tested on is in this file.",
                "Give the file it was trained on, or leave the regime refit out.",
            )
        tested = able
    if not tested.any():
        raise DataError(
            "No cell has a type that the model knows.",
            "Name the column of labels that the model was trained on, or leave it out.",
        )
    test = sample(cells, tested, most)
    if not refit:
        return Parts(test, np.arange(len(test)), None)
    parts = {name: _positions(model, cells, codes, name) for name in PARTS if name != "test"}
    rows = np.unique(np.concatenate([test, *parts.values()]))
    at = {name: np.searchsorted(rows, part) for name, part in parts.items()}
    mine = np.searchsorted(rows, test)
    return Parts(rows, mine, Split(**at, test=mine, description="as the model was trained"))


def sample(cells: Cells, able: np.ndarray, most: int | None) -> np.ndarray:
    """Positions of at most ``most`` of the cells ``able``, (cells,) bool, drawn by their ids."""
    rows = np.flatnonzero(able)
    if most is None or len(rows) <= most:
        return rows
    digests = [hashlib.blake2b(str(i).encode(), digest_size=8).digest() for i in cells.ids[rows]]
    return np.sort(rows[np.argsort(np.array(digests), kind="stable")[:most]])


def _positions(model: ScMPT, cells: Cells, codes: np.ndarray, part: str) -> np.ndarray:
    wanted = model.splits.get(part, {})
    found = np.flatnonzero(model.own(cells, part) & (codes >= 0))
    if len(found) != len(wanted):
        raise DataError(
            f"{len(found):,} of the model's {len(wanted):,} {part} cells are in this file with "
            "their labels; a head is refitted on all of them.",
            "Give the file and the column that it was trained on, or leave the regime refit out.",
        )
    return found
