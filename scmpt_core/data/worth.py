"""What the labels of a column are worth: what a score on them does and does not show.

Computed from ``obs`` (are labels tied to batches, how many donors, how many cells a class), and
for some public sets stated from their publication.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from scmpt_core.data.findings import Finding, info, warning
from scmpt_core.data.known_sets import known_set
from scmpt_core.data.labels import MIN_CLASS, label_values
from scmpt_core.data.splits import FRACTIONS, MIN_GROUPS

TIED = 0.99  # share of a class's cells; some are misassigned in any file
CHANCE = 1e-3  # p-value above which a tie can be chance
MIN_DONORS = 5  # below it, no interval over donors
THIN_CLASS = 50  # cells; of fewer, under ten are tested at a time
MOST_NAMED = 8

_END = r"s?(?:[ _.-]?(?:id|ids|name|no|nr|num|number|label|ident|index))?\d*$"
_DONOR = r"donor|patient|individual|subject|participant"
_BATCH = (
    r"batch|library|lib|sample|channel|lane|plate|run|pool|chip|chemistry|assay|method|platform|"
    r"protocol|technology|tech|dataset|study|orig"
)
_START = r"^(?!n_|num|nb_)(?:.*[ _.-])?"
DONOR = re.compile(rf"{_START}(?:{_DONOR}){_END}", re.I)  # donor_id, but not donor_age, n_donors
BATCH = re.compile(rf"{_START}(?:{_DONOR}|{_BATCH}){_END}", re.I)


def label_worth(
    dataset_name: str,
    obs: pd.DataFrame,
    uns: Mapping[str, object],
    label: str,
    group: str | None = None,
) -> list[Finding]:
    """What a score on column ``label`` would show, the known before the computed.

    Only cells of classes that are trained on count. ``group`` is the column by which cells are
    split, where one was chosen; it then stands for the donors.

    Raises
    ------
    DataError
        There is no such column.
    """
    labels = label_values(obs, label)
    groups = None if group is None else label_values(obs, group)
    names, sizes = np.unique(labels, return_counts=True)
    kept = names[(sizes >= MIN_CLASS) & (names != "")]
    used = np.isin(labels, kept)
    columns = {str(c): label_values(obs, c)[used] for c in obs.columns if _may_tie(obs, c, label)}
    if groups is not None:
        columns[group] = groups[used]
    out = known_set(dataset_name, uns, label, len(obs))
    for column, values in columns.items():
        out += tied(labels[used], values, label, column)
    return [*out, *_donors(columns, group), *_thin(labels[used], label)]


def _may_tie(obs: pd.DataFrame, column: object, label: str) -> bool:
    """A batch by its name, whose values recur; each cell being its own sample ties nothing."""
    if column == label or not BATCH.search(str(column)):
        return False
    values = obs[column]
    return not pd.api.types.is_float_dtype(values) and values.nunique() <= max(len(obs) / 2, 1)


def tied(labels: np.ndarray, values: np.ndarray, label: str, column: str) -> list[Finding]:
    """Whether classes and the values of a batch column, both (cells,), are tied beyond chance.

    One value for all, or one that holds nearly all cells, ties nothing.
    """
    crossed = pd.crosstab(labels[values != ""], values[values != ""])
    table = crossed.to_numpy()  # (classes, values), cells
    if min(table.shape) < 2 or chi2_contingency(table).pvalue > CHANCE:
        return []
    n, (classes, batches) = int(table.sum()), table.shape
    home = table.argmax(axis=1)  # the value that holds most of a class
    alone = _nearly_all(table.max(axis=1), table) and len(set(home)) > 1
    owner = table.argmax(axis=0)  # the class that most of a value's cells have
    single = _nearly_all((table * (owner == np.arange(classes)[:, None])).sum(axis=1), table)
    if single and not alone:
        each = np.bincount(owner, minlength=classes)
        shown = ", ".join(f"{name} {k}" for name, k in zip(crossed.index, each, strict=True))
        message = (
            f"Each of the {batches} values of {column!r} has one {label!r} ({shown}): these, not "
            f"the {n:,} cells, are what there is to learn from."
        )
        return [warning("label_of_group", n, message, f"Split by {column!r}.")]
    if not alone:
        return []
    hint = f"Test on cells where one value of {column!r} holds several classes."
    message = f"Each class of {label!r} ({classes}) lies in one value of {column!r}"
    if single:
        message += " by itself: label equals batch, and accuracy includes batch effects."
        return [warning("label_is_batch", n, message, hint)]
    message += f"; between those of different values ({len(set(home))} values), accuracy includes "
    return [warning("class_in_one_batch", n, message + "batch effects.", hint)]


def _nearly_all(cells: np.ndarray, table: np.ndarray) -> bool:
    return bool((cells >= TIED * table.sum(axis=1)).all())


def _donors(columns: dict[str, np.ndarray], group: str | None) -> list[Finding]:
    """How many donors there are to leave out."""
    counts = {
        column: len(np.unique(values[values != ""]))
        for column, values in columns.items()
        if column == group or (group is None and DONOR.search(column))
    }
    if not counts:
        message = "There is no column of donors: how a model does on a new donor cannot be judged."
        return [
            warning("no_donor", 0, message, "If a column of another name holds them, split by it.")
        ]
    column = max(counts, key=counts.__getitem__)
    n, noun = counts[column], "donor" if DONOR.search(column) else "group"
    holds = f"{column!r} holds {n} {noun}{'' if n == 1 else 's'}"
    if n < 2:
        message = f"{holds}: how a model does on a new {noun} cannot be judged."
        return [warning("one_donor", n, message)]
    if n < MIN_DONORS:
        message = f"{holds}: no interval over {noun}s is possible below {MIN_DONORS}"
        message += f", no split by them below {MIN_GROUPS}." if n < MIN_GROUPS else "."
        return [warning("few_donors", n, message, f"Read differences between {noun}s one by one.")]
    return []


def _thin(labels: np.ndarray, label: str) -> list[Finding]:
    """Classes whose scores rest on few test cells."""
    names, sizes = np.unique(labels, return_counts=True)
    thin = [(int(n), str(name)) for name, n in zip(names, sizes, strict=True) if n < THIN_CLASS]
    if not thin:
        return []
    shown = [
        f"{name} ({n}, about {round(n * FRACTIONS[-1])} tested at a time)"
        for n, name in sorted(thin)
    ]
    if len(shown) > MOST_NAMED:
        shown = [*shown[:MOST_NAMED], f"and {len(shown) - MOST_NAMED} more"]
    message = (
        f"Scores of classes under {THIN_CLASS} cells rest on few test cells; in {label!r} these "
        f"are {', '.join(shown)}."
    )
    return [info("thin_classes", sum(n for n, _ in thin), message)]
