"""Genes that HGNC gave another symbol since about 2010: a table of ours, symbol and old symbol.

It holds those that marker tables and older data sets have most, each a symbol that HGNC had
approved. Nicknames, which several genes may share, are none of it.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).parents[1] / "assets" / "markers" / "renamed.csv"


@lru_cache
def symbol_today() -> dict[str, str]:
    """Old symbol → symbol: "IGJ" → "JCHAIN"."""
    with TABLE.open(encoding="utf-8", newline="") as handle:
        return {row["old"]: row["symbol"] for row in csv.DictReader(handle)}


@lru_cache
def symbol_before() -> dict[str, str]:
    """Symbol → old symbol: "JCHAIN" → "IGJ"."""
    return {symbol: old for old, symbol in symbol_today().items()}
