"""Which row of a comparison will win, from a sample and before any training."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_OPTIONS, EncoderOptions
from scmpt_core.errors import SettingError
from scmpt_core.forecast.calibration import Calibration, kinds_of
from scmpt_core.forecast.probes import FUSED, LINEAR, PROBES, Probed, get_probe, units_of
from scmpt_core.forecast.properties import Properties, properties
from scmpt_core.forecast.record import TrackRecord, read_record
from scmpt_core.forecast.sample import CELLS, Sample, draw
from scmpt_core.fusion import Task, embed, fit_encoders, load_encoders, recommended
from scmpt_core.intervals import Interval
from scmpt_core.progress import Progress, part, silent
from scmpt_core.significance import ROUNDING

LEVEL = 0.9
APART = (1 - LEVEL) / 2  # a row as good as the first with less probability is told apart from it


@dataclass(frozen=True)
class Row:
    """One row that a comparison will have.

    Parameters
    ----------
    best
        Probability that it comes out best of all rows, 0…1.
    behind
        Macro F1 less that of the row named first, as expected: mean; ``None`` where the probe's
        numbers are not on that scale.
    interval
        Of ``behind``, with its level.
    as_good
        Probability that it comes out at least as good as the row named first.
    probes
        Probe → its number.
    """

    name: str
    encoders: tuple[str, ...]
    best: float
    behind: float | None
    interval: Interval | None
    as_good: float
    probes: dict[str, float]

    def to_json(self) -> dict:
        """As a JSON object, with what :func:`scmpt_core.plots.model_colour` reads."""
        interval = None if self.interval is None else self.interval.to_json()
        return asdict(self) | {"interval": interval, "kind": "model"}


@dataclass(frozen=True)
class Forecast:
    """Rows by falling probability to be the best, and how far that can be trusted.

    Parameters
    ----------
    cells
        Of the sample.
    unit
        What was resampled, and ``n`` how many: ``cells``, or the name of the groups.
    """

    rows: tuple[Row, ...]
    probe: str
    cells: int
    unit: str
    n: int
    seed: int
    properties: Properties
    record: TrackRecord | None

    def to_json(self) -> dict:
        """As a JSON object."""
        return {
            "rows": [row.to_json() for row in self.rows],
            "probe": self.probe, "cells": self.cells, "unit": self.unit, "n": self.n,
            "seed": self.seed, "properties": self.properties.to_json(),
            "record": None if self.record is None else self.record.to_json(),
            "words": self.words(),
        }  # fmt: skip

    def words(self) -> list[str]:
        """What it says and what that is worth, in sentences."""
        return [*self.ranking(), *self.worth()]

    def ranking(self) -> list[str]:
        """Which row is likely to win, and how far behind the others are."""
        first, *others = self.rows
        near = [row for row in others if row.as_good >= APART]
        if not near:
            said = [f"{first.name} is the most likely to come out best ({first.best:.0%})."]
        else:
            names = [first.name, *(row.name for row in near)]
            likely = ", ".join(f"{row.name} {row.best:.0%}" for row in self.rows)
            said = [
                f"{', '.join(names[:-1])} and {names[-1]} cannot be told apart.",
                f"Probability to come out best: {likely}.",
            ]
        return said + [_behind(row, first) for row in others if row not in near]

    def worth(self) -> list[str]:
        """How such forecasts did so far."""
        return [NOT_HELD] if self.record is None else self.record.words()


NOT_HELD = (
    "These forecasts are not yet held against training: the probabilities know only how much the "
    "sample could have differed, and are too sure."
)


def _behind(row: Row, first: Row) -> str:
    if row.behind is None or row.interval is None:
        return f"{row.name} is expected behind {first.name} ({1 - row.as_good:.0%})."
    far, near = -100 * row.interval.low, -100 * row.interval.high
    return (
        f"{row.name} is expected {-100 * row.behind:.1f} points of macro F1 behind {first.name} "
        f"({near:.1f} to {far:.1f} with {row.interval.level:.0%} probability)."
    )


def forecast(
    task: Task,
    names: Sequence[str],
    markers: Set[str],
    store: EmbeddingStore,
    device: Device,
    seed: int = 0,
    cells: int = CELLS,
    options: EncoderOptions = DEFAULT_OPTIONS,
    progress: Progress = silent,
    record: TrackRecord | None = None,
) -> Forecast:
    """Embed a sample, ask the probes, and say what that has meant so far.

    Parameters
    ----------
    names
        Two encoders or more; their recommended fusion is a row too.
    markers
        Symbols of genes that are known to mark some type, for the properties.
    record
        By default the one that ships, if any.

    Raises
    ------
    SettingError, MissingComponent
        An encoder is unknown, named twice or not here; fewer than two are named; or too few cells
        are asked for.
    """
    if len(names) < 2:
        raise SettingError(
            f"Encoders named: {list(names)}.", "Name two or more: a forecast ranks them."
        )
    rows = draw(task.codes, task.cells.ids, cells, seed)
    encoders = load_encoders(names, device, options)
    frozen = {n: e for n, e in encoders.items() if not e.info.fitted}
    seen = task.cells.take(rows)
    vectors = embed(frozen, seen, store, part(progress, 0, 0.6)) if frozen else {}
    progress(0.6, "what the cells are like")
    fitted = fit_encoders(encoders, seen, np.arange(len(seen)))
    found = properties(task.cells, task.codes, task.classes, fitted, markers, rows)
    fitting = part(progress, 0.6, 0.8)
    sample = Sample.of(task, rows, encoders, vectors, seed, store.get, fitting)
    probed = ask(sample, seed, part(progress, 0.8, 1))
    record = record or read_record()
    probe = LINEAR.name if record is None else record.probe
    calibration = Calibration() if record is None else record.calibration
    drawn, n = units_of(sample)
    unit = task.group if task.group is not None and n < len(drawn) else "cells"
    kinds = kinds_of(probed[probe].rows, {n: e.info.modality for n, e in encoders.items()})
    draws = calibration.draws(probed[probe], kinds, seed)
    scaled = record is not None or get_probe(probe).comparable
    lines = _rows(probed, probe, draws, (unit, n) if scaled else None)
    progress(1.0, "done")
    return Forecast(lines, probe, len(sample), unit, n, seed, found, record)


def ask(sample: Sample, seed: int, progress: Progress = silent) -> dict[str, Probed]:
    """What each probe says, by name."""
    out = {}
    for i, info in enumerate(PROBES):
        progress(i / len(PROBES), f"probe: {info.title}")
        out[info.name] = info.run(sample, seed)
    return out


def _rows(
    probed: dict[str, Probed], probe: str, draws: np.ndarray, drawn: tuple[str, int] | None
) -> tuple[Row, ...]:
    """Rows by falling probability, with all that is said of them.

    Parameters
    ----------
    draws
        Macro F1 as it may turn out, from any common zero, (draws, rows).
    drawn
        What was resampled, and how many; ``None`` where ``draws`` are not on that scale.
    """
    names, best = probed[probe].rows, chances(draws)
    encoders = tuple(name for name in names if name != FUSED)
    order = np.lexsort((-draws.mean(axis=0), -best))
    out = []
    for place in order:
        name, behind = names[place], draws[:, place] - draws[:, order[0]]
        low, high = np.quantile(behind, [APART, 1 - APART])
        scaled = None if drawn is None else Interval(float(low), float(high), LEVEL, *drawn)
        out.append(
            Row(
                name=recommended(encoders).name if name == FUSED else name,
                encoders=encoders if name == FUSED else (name,),
                best=float(best[place]),
                behind=None if scaled is None else float(behind.mean()),
                interval=scaled,
                as_good=float((behind >= -ROUNDING).mean()),
                probes={key: float(p.values[place]) for key, p in probed.items()},
            )
        )
    return tuple(out)


def chances(draws: np.ndarray) -> np.ndarray:
    """How often each row is the best, (rows,), sum 1; rows that tie share the draw."""
    top = draws >= draws.max(axis=1, keepdims=True) - ROUNDING
    return (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
