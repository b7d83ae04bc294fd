"""What the values of a matrix are, and log-normalised expression out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

ValueKind = Literal["counts", "log", "cpm", "scaled", "invalid"]
TARGET_SUM = 1e4
SAMPLE = 2000  # cells that a judgement on values looks at
LOG_LIMIT = 25.0  # log2 of a million is 19.9; single values above this are no logarithms


@dataclass(frozen=True)
class Values:
    """What a matrix holds, with the evidence in words."""

    kind: ValueKind
    why: str
    certain: bool = True
    count: int = 0  # values that make it unusable
    base2: bool = False  # logarithms to base 2


@dataclass
class Summary:
    """What is asked of all values of a matrix, gathered piece by piece."""

    count: int = 0
    broken: int = 0
    negative: int = 0
    lowest: float = np.inf
    highest: float = -np.inf

    def add(self, data: np.ndarray) -> None:
        """Take in some values."""
        if not data.size:
            return
        self.count += data.size
        self.broken += int((~np.isfinite(data)).sum())
        self.negative += int((data < 0).sum())
        self.lowest = min(self.lowest, float(data.min()))
        self.highest = max(self.highest, float(data.max()))

    def judge(self, rows: sp.csr_matrix) -> Values:
        """The judgement, with ``rows``, (sampled cells, genes), for what needs whole cells."""
        if self.count == 0:
            return Values("counts", "there is no value above zero")
        if self.broken:
            why = f"{self.broken:,} values are NaN or infinite"
            return Values("invalid", why, count=self.broken)
        if self.negative:
            why = f"{self.negative:,} values are negative, the lowest {self.lowest:.3g}"
            return Values("scaled", why, count=self.negative)
        top = self.highest
        if np.array_equal(rows.data, np.round(rows.data)):
            return Values("counts", f"all values are integers (highest {top:,.0f})")
        if top > LOG_LIMIT:
            why = f"values are not integers and reach {top:,.1f}, too high for a log"
            return Values("cpm", why)
        if _multiples(rows, np.expm1) >= 0.9:
            return Values("log", f"counts stand behind expm1 (highest value {top:.2f})")
        if _multiples(rows, lambda v: np.exp2(v) - 1) >= 0.9:
            why = f"counts stand behind 2^x - 1 (highest value {top:.2f})"
            return Values("log", why, base2=True)
        if _multiples(rows, np.asarray) >= 0.9:
            return Values("cpm", f"values are counts times a factor per cell (highest {top:.2f})")
        return Values("log", f"values are not integers and end at {top:.2f}", certain=False)


def judge(matrix: sp.csr_matrix) -> Values:
    """Tell raw counts, logs, linear normalised values (CPM, TPM, …) and z-scores apart.

    NaN, Inf and negative values are looked for in all values; the rest is judged on up to
    2,000 cells drawn with a fixed seed. Counts divided by a cell's total are integer multiples
    of the cell's smallest value; so are counts behind a log after ``expm1``. That tells the two
    apart where the size of the values does not.
    """
    summary = Summary()
    summary.add(matrix.data)
    rows = sample_rows(matrix.shape[0])
    return summary.judge(matrix if len(rows) == matrix.shape[0] else matrix[rows])


def sample_rows(n: int) -> np.ndarray:
    """The cells, of ``n``, that a judgement looks at: all, or 2,000 drawn with a fixed seed."""
    if n <= SAMPLE:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, SAMPLE, replace=False))


def _multiples(rows: sp.csr_matrix, inverse) -> float:
    """Share of cells whose values are, after ``inverse``, multiples of their smallest one."""
    good = total = 0
    for start, end in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
        values = inverse(rows.data[start:end].astype(np.float64))
        values = values[values > 0]
        if len(values) < 10:
            continue
        ratios = values / values.min()
        ratios = ratios[ratios < 50]  # float32 keeps about seven digits
        if len(np.unique(np.round(ratios, 2))) < 2:
            continue  # a cell of equal values tells nothing
        total += 1
        good += bool(np.mean(np.abs(ratios - np.round(ratios)) < 0.01) > 0.98)
    return good / total if total else 0.0


def normalise(matrix: sp.csr_matrix, kind: ValueKind) -> tuple[sp.csr_matrix, str]:
    """Log-normalised float32 CSR without stored zeros, and what was done in words.

    Counts and linear values are scaled to 10,000 per cell and ``log1p`` is taken (scanpy's
    ``normalize_total`` and ``log1p``); logs are used as they are.
    """
    out = sp.csr_matrix(matrix, dtype=np.float32, copy=True)
    words = "values were logs already and are used as they are"
    if kind != "log":
        totals = np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel()
        factors = np.divide(TARGET_SUM, totals, out=np.zeros_like(totals), where=totals > 0)
        scaled = matrix.data.astype(np.float64) * np.repeat(factors, np.diff(matrix.indptr))
        out.data = np.log1p(scaled).astype(np.float32)
        what = "counts" if kind == "counts" else "linear values"
        words = f"{what} → {TARGET_SUM:,.0f} per cell → log1p"
    out.eliminate_zeros()
    out.sort_indices()
    return out, words
