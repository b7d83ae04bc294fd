"""The six labelled sets that the benchmarks of models run on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from scmpt_core import fusion
from scmpt_core.data import Dataset, load
from scmpt_core.forecast import draw

SAMPLE_SEED = 0


@dataclass(frozen=True)
class LabelledSet:
    """A file and what is learnt from it.

    Parameters
    ----------
    file
        ``demo``, or the stem of an .h5ad in the folder of labelled sets.
    label, group
        Columns; whole groups are kept together in splits.
    """

    name: str
    file: str
    label: str
    group: str | None = None


SETS = (
    LabelledSet("demo", "demo", "bulk_labels"),
    LabelledSet("zheng2017", "zheng2017_pbmc_facs", "cell_type"),
    LabelledSet("kang2018", "kang2018_pbmc_8donors", "cell_type", "donor"),
    LabelledSet("baron2016", "baron2016_islets_175", "cell_type"),
    LabelledSet("xin2016", "xin2016_islets_674", "cell_type"),
    LabelledSet("symphony", "symphony_pbmc_1200", "cell_type"),
)
NAMES = tuple(s.name for s in SETS)


def open_set(name: str, folder: Path) -> tuple[Dataset, fusion.Task]:
    """The set called ``name``, one of ``NAMES``; all but the demo lie in ``folder``."""
    chosen = next(s for s in SETS if s.name == name)
    file = chosen.file if chosen.file == "demo" else folder / f"{chosen.file}.h5ad"
    dataset = load(file)
    return dataset, fusion.make_task(dataset, chosen.label, chosen.group)


def sampled(task: fusion.Task, cells: int | None) -> fusion.Task:
    """The task with about ``cells`` of its labelled cells; ``None``: all."""
    if cells is None or cells >= (task.codes >= 0).sum():
        return task
    rows = draw(task.codes, task.cells.ids, cells, SAMPLE_SEED)
    groups = None if task.groups is None else task.groups[rows]
    return replace(task, cells=task.cells.take(rows), codes=task.codes[rows], groups=groups)
