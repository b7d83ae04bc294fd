"""What is to be learnt: cells, their classes, and how they are split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.data import (
    MIN_CLASS,
    Dataset,
    Split,
    check_labels,
    grouped,
    label_values,
    stratified,
)
from scmpt_core.data.findings import Finding
from scmpt_core.data.worth import label_worth
from scmpt_core.errors import DataError


@dataclass(frozen=True, eq=False)
class Task:
    """Cells with class codes; −1 marks cells that are left out of training."""

    cells: Cells
    label: str
    classes: tuple[str, ...]
    codes: np.ndarray  # (cells,)
    group: str | None
    groups: np.ndarray | None  # (cells,)
    findings: tuple[Finding, ...]
    palette: tuple[str, ...] = ()  # every name in the column, sorted: the order of colours

    def splits(self, seed: int) -> list[Split]:
        """One stratified split, or one split a fold of the grouped cross-validation."""
        if self.groups is None:
            return [stratified(self.codes, seed)]
        splits = grouped(self.codes, self.groups, seed)
        for split in splits:
            self._check(split)
        return splits

    def _check(self, split: Split) -> None:
        if min(len(split.train), len(split.validation), len(split.test)) == 0:
            raise DataError(
                f"Splitting by {self.group!r} leaves a part without cells ({split.sizes()}).",
                "Name a column whose groups each hold labelled cells.",
            )


def make_task(dataset: Dataset, label: str, group: str | None = None) -> Task:
    """Codes of the classes of ``label``; missing labels, small classes and empty cells are −1.

    Raises
    ------
    DataError
        The file is unusable, a column is missing, or fewer than two classes are large enough.
    """
    cells = dataset.usable()
    values = label_values(dataset.obs, label)
    findings = (*check_labels(values, label), *worth_of(dataset, label, group))
    groups = None if group is None else label_values(dataset.obs, group)
    palette = tuple(str(n) for n in np.unique(values[values != ""]))
    left_out = np.diff(cells.expression.indptr) == 0
    if groups is not None:
        left_out |= groups == ""  # a cell of no known donor could leak into any part
    values = np.where(left_out, "", values)
    named, counts = np.unique(values[values != ""], return_counts=True)
    classes = tuple(str(n) for n, count in zip(named, counts, strict=True) if count >= MIN_CLASS)
    if len(classes) < 2:
        raise DataError(
            f"{label!r} has {len(classes)} classes of at least {MIN_CLASS} cells; 2 are needed.",
            "Name another column, or merge its classes.",
        )
    place = {name: i for i, name in enumerate(classes)}
    codes = np.array([place.get(v, -1) for v in values], dtype=np.int64)
    return Task(cells, label, classes, codes, group, groups, findings, palette)


def worth_of(dataset: Dataset, label: str, group: str | None) -> list[Finding]:
    """What the labels of a column are worth as truth."""
    return label_worth(dataset.name, dataset.obs, dataset.adata.uns, label, group)
