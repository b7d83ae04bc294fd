"""Columns of ``obs`` that can be labels or groups."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from scmpt_core.data.findings import Finding, warning
from scmpt_core.errors import DataError

MIN_CLASS = 10  # cells; fewer cannot be split into four parts
MAX_CLASSES = 200
LIKELY = re.compile(r"cell_?type|celltype|label|annot|ident|class|state|disease|condition", re.I)
MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "<na>"})


@dataclass(frozen=True)
class LabelColumn:
    """A column that could be trained on."""

    column: str
    classes: dict[str, int]  # class → cells, most frequent first
    missing: int
    likely: bool  # its name sounds like a label

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


def label_values(obs: pd.DataFrame, column: str) -> np.ndarray:
    """The column as text, ``""`` where missing, (cells,).

    Raises
    ------
    DataError
        There is no such column.
    """
    if column not in obs.columns:
        there = ", ".join(map(str, obs.columns)) or "none"
        raise DataError(
            f"There is no column {column!r}; there are: {there}.",
            "Name one of these.",
        )
    series = obs[column]
    if isinstance(series.dtype, pd.CategoricalDtype):  # a few names instead of many cells
        names = np.array([*_as_text(pd.Series(series.cat.categories)), ""])
        return names[series.cat.codes.to_numpy()]  # code -1, a missing one, is the last
    return _as_text(series)


def _as_text(series: pd.Series) -> np.ndarray:
    values = series.astype(object).where(series.notna(), "")
    text = values.astype(str).str.strip().to_numpy(str)
    return np.where([t.lower() in MISSING for t in text], "", text)


def candidates(obs: pd.DataFrame) -> list[LabelColumn]:
    """Columns with 2 to 200 classes that recur, likely names first."""
    found = []
    for column in obs.columns:
        series = obs[column]
        if pd.api.types.is_float_dtype(series) or not 2 <= series.nunique() <= MAX_CLASSES:
            continue
        values = label_values(obs, column)
        classes = _counts(values)
        if len(classes) < 2 or len(classes) > len(values) / 2:
            continue
        likely = bool(LIKELY.search(str(column)))
        found.append(LabelColumn(str(column), classes, int((values == "").sum()), likely))
    return sorted(found, key=lambda c: not c.likely)


def _counts(values: np.ndarray) -> dict[str, int]:
    counts = pd.Series(values[values != ""]).value_counts()
    return {str(k): int(v) for k, v in counts.items()}


def check_labels(values: np.ndarray, column: str) -> list[Finding]:
    """Missing labels, small classes, names that differ only in spelling."""
    counts, out = _counts(values), []
    missing = int((values == "").sum())
    if missing:
        message = f"{missing:,} cells have no {column!r}; they are left out of training."
        out.append(warning("missing_labels", missing, message))
    small = {name: n for name, n in counts.items() if n < MIN_CLASS}
    if small:
        named = ", ".join(f"{name} ({n})" for name, n in small.items())
        message = f"{column!r}: classes under {MIN_CLASS} cells are left out of training: {named}."
        hint = "Merge them into a broader class if they matter."
        out.append(warning("small_classes", sum(small.values()), message, hint))
    twins: dict[str, list[str]] = {}
    for name in counts:
        twins.setdefault(re.sub(r"[\W_]+", "", name).casefold().removesuffix("s"), []).append(name)
    same = [" = ".join(map(repr, names)) for names in twins.values() if len(names) > 1]
    if same:
        message = f"{column!r} holds names that differ only in spelling: {'; '.join(same)}."
        out.append(warning("similar_labels", len(same), message, "Rename one of each pair."))
    return out
