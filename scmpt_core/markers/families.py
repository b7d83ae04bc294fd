"""Many tests at once: types × methods × models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from scmpt_core.markers.statistics import MarkerTest


@dataclass(frozen=True)
class TestKey:
    """What was tested: the label, the entry of the database it has, the method and the model."""

    __test__ = False  # no test of pytest's

    label: str
    entry: str
    method: str
    model: str = ""


def adjust(results: Mapping[TestKey, MarkerTest]) -> dict[TestKey, float | None]:
    """q of each test by Benjamini–Hochberg (1995); None where there is no p.

    Labels that share an entry are tests of one hypothesis, that the model leans on this entry's
    markers, and count once for each method and model: their p are multiplied by their number
    (Bonferroni), and the smallest enters. A label is then rejected with its entry where its own
    multiplied p passes the same limit (Benjamini and Bogomolov 2014, doi:10.1111/rssb.12028).
    Where no entry is shared this is Benjamini–Hochberg as it stands.
    """
    tested = [key for key, result in results.items() if result.p is not None]
    out: dict[TestKey, float | None] = dict.fromkeys(results)
    if not tested:
        return out
    p = np.array([results[key].p for key in tested])
    codes, _ = pd.factorize(pd.Series([(key.entry, key.method, key.model) for key in tested]))
    own = np.minimum(1.0, p * np.bincount(codes)[codes])
    families = np.full(codes.max() + 1, 1.0)
    np.minimum.at(families, codes, own)
    for key, code, value in zip(tested, codes, own, strict=True):
        instead = families.copy()
        instead[code] = value
        out[key] = float(multipletests(instead, method="fdr_bh")[1][code])
    return out
