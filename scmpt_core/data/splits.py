"""Train / validation / calibration / test, stratified or by whole groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scmpt_core.errors import DataError

PARTS = ("train", "validation", "calibration", "test")
FRACTIONS = (0.6, 0.1, 0.1, 0.2)
MIN_GROUPS = 3
MAX_FOLDS = 5


@dataclass(frozen=True)
class Split:
    """Positions of the cells of each part; disjoint, each part sorted."""

    train: np.ndarray
    validation: np.ndarray
    calibration: np.ndarray
    test: np.ndarray
    description: str

    def __post_init__(self) -> None:
        every = np.concatenate([self.train, self.validation, self.calibration, self.test])
        if len(np.unique(every)) != len(every):
            raise ValueError("a cell stands in two parts")

    def sizes(self) -> dict[str, int]:
        """Cells in each part."""
        return {part: len(getattr(self, part)) for part in PARTS}


def stratified(classes: np.ndarray, seed: int) -> Split:
    """Split each class 60 / 10 / 10 / 20; of 10 cells and more, each part gets at least one.

    Parameters
    ----------
    classes
        Class codes, (cells,); cells coded −1 stand in no part.
    """
    rng = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], [], []]
    for code in np.unique(classes[classes >= 0]):
        members = rng.permutation(np.flatnonzero(classes == code))
        ends = np.cumsum(_sizes(len(members)))[:-1]
        for part, chunk in zip(parts, np.split(members, ends), strict=True):
            part.append(chunk)
    return _split(parts, f"stratified by class, seed {seed}")


def _sizes(n: int) -> np.ndarray:
    """Largest remainders, and at least one cell a part where there are four."""
    exact = np.array(FRACTIONS) * n
    sizes = np.floor(exact).astype(int)
    for part in np.argsort(sizes - exact, kind="stable")[: n - sizes.sum()]:
        sizes[part] += 1
    while n >= len(sizes) and sizes.min() == 0:
        sizes[sizes.argmax()] -= 1
        sizes[sizes.argmin()] += 1
    return sizes


def grouped(classes: np.ndarray, groups: np.ndarray, seed: int) -> list[Split]:
    """Grouped cross-validation: each group is in the test part of exactly one split.

    Test, validation and calibration are made of whole groups, and so is training. With three
    groups there is one for training, one for test, and the third is shared, stratified by
    class, by validation and calibration.

    Raises
    ------
    DataError
        Fewer than three groups hold labelled cells.
    """
    names = np.unique(groups[(classes >= 0) & (groups != "")])
    if len(names) < MIN_GROUPS:
        raise DataError(
            f"There are {len(names)} groups with labelled cells ({', '.join(names) or 'none'}); "
            f"at least {MIN_GROUPS} are needed to train, choose and test on different ones.",
            "Leave --group out, or name a column with more groups.",
        )
    order = np.random.default_rng(seed).permutation(names)
    folds = np.array_split(order, min(MAX_FOLDS, len(order)))
    return [_fold(classes, groups, order, fold, seed) for fold in folds]


def _fold(
    classes: np.ndarray, groups: np.ndarray, order: np.ndarray, test: np.ndarray, seed: int
) -> Split:
    start = int(np.flatnonzero(order == test[-1])[0]) + 1
    rest = [g for g in np.roll(order, -start) if g not in test]  # the groups after the test fold
    labelled = classes >= 0

    def members(chosen: list[str] | np.ndarray) -> np.ndarray:
        return np.flatnonzero(labelled & np.isin(groups, chosen))

    if len(rest) >= 3:
        held = max(1, round(len(rest) * 0.15))
        validation, calibration = members(rest[:held]), members(rest[held : 2 * held])
        train = members(rest[2 * held :])
    else:
        shared = members(rest[:1])
        second = np.zeros(len(shared), dtype=bool)
        rng = np.random.default_rng(seed)
        for code in np.unique(classes[shared]):
            mine = rng.permutation(np.flatnonzero(classes[shared] == code))
            second[mine[::2]] = True
        validation, calibration, train = shared[second], shared[~second], members(rest[1:])
    parts = [[train], [validation], [calibration], [members(test)]]
    return _split(parts, f"whole groups kept together, test: {', '.join(test)}; seed {seed}")


def _split(parts: list[list[np.ndarray]], description: str) -> Split:
    merged = (np.sort(np.concatenate(part).astype(np.int64)) for part in parts)
    return Split(*merged, description)
