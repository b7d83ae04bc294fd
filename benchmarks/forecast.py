"""Is the forecast of which encoder will win worth more than a rule of thumb?

    PYTHONPATH=. python benchmarks/forecast.py LABELLED_FOLDER [--set NAME …] [--subsets N]
        [--keep FOLDER] [--write]

Cases are the six labelled sets, and of each set parts: some of its types, some of their cells, both
drawn. Of each case the probes see a sample; then training shows: each encoder with the linear head,
and their recommended fusion, stacking, trained on all of the case's cells over at least two splits
(more for small cases, until about 500 cells are tested).

Each set is left out with its parts: on the others a probe and a way to calibrate it are chosen by
the Brier score (again leaving one set out at a time), and calibrated; the set left out is forecast
with these. Prints, as Markdown, what training showed, rank agreement and hits of each probe and of
the forecast against two rules, and the reliability of the stated probabilities. ``--keep`` holds
finished cases, so that a killed run goes on; ``--write`` writes what ships with the package.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from benchmarks.compare_sets import table
from benchmarks.forecast_cases import KINDS, ROWS, Held, cases_of
from benchmarks.sets import NAMES
from scmpt_core.device import choose_device
from scmpt_core.encoders import DEFAULT_FUSED
from scmpt_core.forecast import (
    ALWAYS_FUSED,
    ALWAYS_PCA,
    CELLS,
    FUSED,
    PROBES,
    RECORD,
    WITHIN,
    Calibration,
    Rival,
    TrackRecord,
    calibrate,
    chances,
    get_probe,
)

EDGES = (0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
TRUTH = "linear heads and their fusion by stacking"


@dataclass(frozen=True)
class Way:
    """A probe, and how its differences become differences of macro F1."""

    probe: str
    shifted: bool
    scaled: bool

    def fit(self, cases: Sequence[Held]) -> Calibration:
        """Calibrate on ``cases``."""
        return calibrate([c.case(self.probe) for c in cases], self.shifted, self.scaled)

    @property
    def words(self) -> str:
        """For a table."""
        parts = [self.probe, *(["shifted"] * self.shifted), *(["scaled"] * self.scaled)]
        return ", ".join(parts)


WAYS = [
    Way(info.name, shifted, scaled)
    for info, shifted, scaled in product(PROBES, (False, True), (False, True))
    if scaled or info.comparable
]


@dataclass(frozen=True, eq=False)
class Told:
    """A case as it was forecast: probability to be best and expected macro F1 of each row."""

    held: Held
    best: np.ndarray
    expected: np.ndarray

    @classmethod
    def of(cls, held: Held, way: Way, calibration: Calibration) -> Told:
        """By a calibration that has not seen the case."""
        draws = calibration.draws(held.probed[way.probe], KINDS, 0)
        return cls(held, chances(draws), draws.mean(axis=0))

    @property
    def named(self) -> int:
        """The row named first."""
        return int(np.lexsort((-self.expected, -self.best))[0])

    @property
    def truth(self) -> np.ndarray:
        """1 for the row that came out best; rows that tie share it."""
        top = self.held.trained >= self.held.trained.max()
        return top / top.sum()

    @property
    def brier(self) -> float:
        """Mean over rows."""
        return float(np.square(self.best - self.truth).mean())

    @property
    def tau(self) -> float:
        """Rank agreement; 0 where training ranks nothing."""
        return float(np.nan_to_num(kendalltau(self.expected, self.held.trained).statistic))

    def hit(self, row: int) -> bool:
        """Whether a row is within a point of the best."""
        return bool(self.held.trained[row] >= self.held.trained.max() - WITHIN)


def left_out(cases: list[Held], way: Way) -> list[Told]:
    """Each set forecast by a calibration on the others."""
    out = []
    for source in dict.fromkeys(c.source for c in cases):
        calibration = way.fit([c for c in cases if c.source != source])
        out += [Told.of(c, way, calibration) for c in cases if c.source == source]
    return out


def chosen_way(cases: list[Held]) -> Way:
    """The way with the lowest Brier score, leaving one set out; each set counts the same."""

    def brier(way: Way) -> float:
        told = left_out(cases, way)
        by_set = {t.held.source: [] for t in told}
        for t in told:
            by_set[t.held.source].append(t.brier)
        return float(np.mean([np.mean(values) for values in by_set.values()]))

    return min(WAYS, key=brier)


def nested(cases: list[Held]) -> tuple[list[Told], dict[str, Way]]:
    """Each set forecast by a way that was chosen, and calibrated, on the others."""
    told, ways = [], {}
    for source in dict.fromkeys(c.source for c in cases):
        others = [c for c in cases if c.source != source]
        ways[source] = chosen_way(others)
        calibration = ways[source].fit(others)
        told += [Told.of(c, ways[source], calibration) for c in cases if c.source == source]
    return told, ways


def binned(told: list[Told]) -> tuple[dict, ...]:
    """Rows by stated probability."""
    said = np.concatenate([t.best for t in told])
    best = np.concatenate([t.truth for t in told])
    place = np.clip(np.searchsorted(EDGES, said, side="right") - 1, 0, len(EDGES) - 2)
    return tuple(
        {
            "low": EDGES[k], "high": EDGES[k + 1], "n": int((place == k).sum()),
            "said": float(said[place == k].mean()), "best": float(best[place == k].mean()),
        }
        for k in np.unique(place)
    )  # fmt: skip


def rival(name: str, told: list[Told], row: int) -> Rival:
    """A rule that always names one row."""
    ours, its = np.array([(t.hit(t.named), t.hit(row)) for t in told]).T
    return Rival(name, int(its.sum()), int((ours & ~its).sum()), int((its & ~ours).sum()))


def record_of(cases: list[Held], told: list[Told]) -> TrackRecord:
    """What ships: figures of the nested forecasts, calibration on all cases."""
    way = chosen_way(cases)
    rivals = (
        rival(ALWAYS_PCA, told, ROWS.index("pca")), rival(ALWAYS_FUSED, told, ROWS.index(FUSED)),
    )  # fmt: skip
    return TrackRecord(
        probe=way.probe,
        calibration=way.fit(cases),
        n=len(told),
        hits=sum(t.hit(t.named) for t in told),
        rivals=rivals,
        tau=float(np.mean([t.tau for t in told])),
        brier=float(np.mean([t.brier for t in told])),
        bins=binned(told),
        sets=tuple(dict.fromkeys(c.source for c in cases)),
        encoders=DEFAULT_FUSED,
        cells=CELLS,
        source=f"benchmarks/forecast.py; trained: {TRUTH}; calibration: {way.words}",
    )


def show_cases(told: list[Told]) -> None:
    """What training showed, and what was forecast."""
    rows = []
    for t in told:
        values = [f"{v:.3f} ({p:.0%})" for v, p in zip(t.held.trained, t.best, strict=True)]
        mark = "yes" if t.hit(t.named) else "no"
        size = f"{t.held.cells:,} / {t.held.classes}"
        rows.append([t.held.name, size, *values, ROWS[t.named], mark])
    table(["case", "cells / classes", *(f"{r}: macro F1 (said to be best)" for r in ROWS),
           "named first", "within 1 point"], rows)  # fmt: skip


def show_ways(cases: list[Held], told: list[Told]) -> None:
    """Every probe and calibration with one set left out, the nested choice, the two rules."""

    def figures(name: str, found: list[Told]) -> list[str]:
        hits = sum(t.hit(t.named) for t in found)
        tau, brier = np.mean([t.tau for t in found]), np.mean([t.brier for t in found])
        return [name, f"{tau:+.2f}", f"{hits} of {len(found)}", f"{brier:.3f}"]

    rows = [figures(way.words, left_out(cases, way)) for way in WAYS]
    rows.append(figures("the forecast: chosen on the other sets", told))
    record = record_of(cases, told)
    rows += [[r.name, "", f"{r.hits} of {record.n}", ""] for r in record.rivals]
    table(["probe", "Kendall tau", "named within 1 point of the best", "Brier"], rows)
    table(["stated probability", "said, mean", "came out best", "rows"],
          [[f"{b['low']:g} to {b['high']:g}", f"{b['said']:.2f}", f"{b['best']:.2f}", str(b["n"])]
           for b in record.bins])  # fmt: skip
    print("\n" + "\n".join(record.words()))
    title = get_probe(record.probe).title
    print(f"Shipped: {title}; {record.calibration}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", choices=NAMES)
    parser.add_argument("--subsets", type=int, default=5, help="parts of each set")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--write", action="store_true", help="ship the figures; needs all sets")
    args = parser.parse_args()
    chosen = tuple(dict.fromkeys(args.set or NAMES))
    if len(chosen) < 3 or (args.write and chosen != NAMES):
        parser.error("Name three sets at least, and none with --write: each is left out in turn.")
    device = choose_device()
    print(f"{device.reason}; samples of {CELLS} cells; trained: {TRUTH}", flush=True)
    cases = []
    for name in chosen:
        cases += cases_of(name, args.folder, args.subsets, args.keep, device)
        print(f"done: {name}", flush=True)
    told, ways = nested(cases)
    show_cases(told)
    table(["left out", "chosen on the others"], [[s, w.words] for s, w in ways.items()])
    show_ways(cases, told)
    if args.write:
        RECORD.write_text(json.dumps(record_of(cases, told).to_json(), indent=1) + "\n")


if __name__ == "__main__":
    main()
