"""Lines of CellMarker 2.0, alike for both shapes of its table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from scmpt_core.errors import DataError, SettingError
from scmpt_core.markers.base import SPECIES, Filters
from scmpt_core.markers.source import Source
from scmpt_core.markers.species import of_species
from scmpt_core.ontology.terms import human_terms

SHORT = ("Tissue", "CT", "Gene")
PUBLISHED = ("tissue_class", "cell_type", "cell_name", "cellontology_id", "Symbol")
NO_TISSUE = "Undefined"
CANCER = "Cancer cell"
MISSING = {"", "NA"}
Rows = list[tuple[int, dict[str, str]]]  # number of the line and its cells


@dataclass(frozen=True)
class Record:
    """A cell type of one tissue, with genes."""

    name: str
    tissue: str
    genes: tuple[str, ...]
    term: str | None = None  # of the Cell Ontology, where the line names one


def read_records(source: Source, filters: Filters) -> tuple[list[Record], tuple[str, ...]]:
    """The lines of the species, and notes on those left out.

    Of the published table these are lines of cancer cells, and lines without the gene's symbol.

    Raises
    ------
    DataError
        Columns are missing, or a line names no cell type, or has more or fewer cells than the
        header.
    SettingError
        Another species than the human is asked for, and no column tells it.
    """
    short = _is_short(source)
    rows, notes = source.records(), ()
    if "species" in source.header:
        rows, notes = of_species(rows, "species", filters.species)
    elif filters.species != "Hs":
        raise SettingError(
            f"{source.path.name} has no column species, so that {SPECIES[filters.species]} cannot "
            "be told from human.",
            "Ask for human, or use CellMarker's published table of both, saved as CSV.",
        )
    if not short:
        rows, left_out = _usable(rows)
        notes += left_out
    name = "CT" if short else "cell_name"
    for number, row in rows:
        if not row[name]:
            where = f"{source.path.name}, line {number}"
            raise DataError(f"{where} names no cell type.", "Put it right.")
    return [_short(row) if short else _published(row) for _, row in rows], notes


def _is_short(source: Source) -> bool:
    for columns in (SHORT, PUBLISHED):
        if set(columns) <= set(source.header):
            return columns is SHORT
    absent = [name for name in PUBLISHED if name not in source.header]
    raise DataError(
        f"{source.path.name} lacks CellMarker's columns {', '.join(absent)}.",
        f"Use its published table, or one with the columns {', '.join(SHORT)}.",
    )


def _usable(rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    """Lines of normal cells that give the symbol of the gene, and notes on the others."""
    normal = [(n, row) for n, row in rows if row["cell_type"] != CANCER]
    kept = [(n, row) for n, row in normal if row["Symbol"] not in MISSING]
    cancer, nameless = len(rows) - len(normal), len(normal) - len(kept)
    notes = (f"{cancer:,} rows of cancer cells left out",) if cancer else ()
    if nameless:
        notes += (f"{nameless:,} rows left out: they give no symbol of the gene",)
    return kept, notes


def _short(row: dict[str, str]) -> Record:
    return Record(row["CT"], row["Tissue"], _genes(row["Gene"]))


def _published(row: dict[str, str]) -> Record:
    term = row["cellontology_id"].replace("_", ":")
    known = term if term in _terms_in_use() else None
    return Record(row["cell_name"], row["tissue_class"], _genes(row["Symbol"]), known)


def _genes(listed: str) -> tuple[str, ...]:
    return tuple(gene.strip() for gene in listed.split(",") if gene.strip())


@lru_cache
def _terms_in_use() -> frozenset[str]:
    return frozenset(human_terms())
