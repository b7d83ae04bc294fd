"""PanglaoDB (Franzén, Gan and Björkegren 2019), the file of 27 March 2020, which is its last."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

from scmpt_core.errors import DataError, MissingComponent
from scmpt_core.markers.base import (
    DatabaseInfo,
    Evidence,
    Filters,
    MarkerDatabase,
    MarkerSet,
    check_organ,
)
from scmpt_core.markers.source import Source
from scmpt_core.ontology import find_term
from scmpt_core.settings import get_settings

NAME = "panglaodb"
FILE = "PanglaoDB_markers_27_Mar_2020.tsv.gz"
URL = f"https://panglaodb.se/markers/{FILE}"
SHA256 = "6779952ad40aa5a124de7bd0e18975c6630bd6006d6b3ef210a916caaa6b53c9"
TERMS = Path(__file__).parents[1] / "assets" / "markers" / "panglaodb_terms.csv"
NEEDED = ("species", "official gene symbol", "cell type", "canonical marker", "organ")
KNOWN_SPECIES = {"Hs", "Mm"}
MISSING = "NA"
SUFFIX = {"Hs": "human", "Mm": "mouse"}  # of the columns of sensitivity and specificity


def installed_file() -> Path:
    """Where a download puts the file."""
    return get_settings().home / "markers" / NAME / FILE


def by_hand() -> str:
    """How to get the file without a download, as an instruction."""
    return (
        f"Download {URL} on a machine with network, copy it here, and run "
        f"`python -m scmpt_core download {NAME} --from FILE`, or set SCMPT_PANGLAODB_FILE to it."
    )


def locate_panglaodb() -> Path:
    """The file named by ``SCMPT_PANGLAODB_FILE``, else the one that was downloaded.

    Raises
    ------
    MissingComponent
        Neither is there.
    """
    given = get_settings().panglaodb_file
    if given is not None and not given.is_file():
        raise MissingComponent(
            f"SCMPT_PANGLAODB_FILE is {given}, which is not a file.", "Name the file, or unset it."
        )
    path = given or installed_file()
    if not path.is_file():
        raise MissingComponent(
            "PanglaoDB is not on this machine.",
            f"Run `python -m scmpt_core download {NAME}`. Or: {by_hand()}",
        )
    return path


def read_panglaodb(source: Source, filters: Filters) -> MarkerDatabase:
    """Keep the rows of the species, organ and canonicity asked for.

    ``species`` is "Hs", "Mm" or "Mm Hs"; a few rows hold "None" or "4", which say nothing and
    are left out, with a note. A gene counts as canonical where the file says 1; it says NA of
    a third of them and 0 of four.

    Raises
    ------
    DataError
        Columns are missing, or a number is none.
    SettingError
        No row has the organ asked for.
    """
    _check_columns(source)
    records = source.records()
    check_organ(filters, {row["organ"] for _, row in records} - {MISSING})
    stray = Counter(
        row["species"] for _, row in records if not set(row["species"].split()) <= KNOWN_SPECIES
    )
    genes: dict[str, dict[str, Evidence]] = defaultdict(dict)
    for number, row in records:
        if _wanted(row, filters):
            where = f"{source.path.name}, line {number}"
            evidence = _evidence(row, SUFFIX[filters.species], where)
            genes[row["cell type"]][row["official gene symbol"]] = evidence
    entries = {name: _entry(name, found) for name, found in sorted(genes.items())}
    values = ", ".join(f"{value!r} {n}×" for value, n in stray.items())
    notes = (f"{stray.total()} rows left out: their species is {values}",) if stray else ()
    published = source.sha256 == SHA256
    version = "27 March 2020" if published else f"not the published file ({source.path.name})"
    return MarkerDatabase(NAME, version, filters.words, entries, source.sha256, notes)


def _check_columns(source: Source) -> None:
    if absent := [name for name in NEEDED if name not in source.header]:
        raise DataError(
            f"{source.path.name} lacks PanglaoDB's columns {', '.join(absent)}.",
            f"Use the published file, {URL}.",
        )


def _wanted(row: dict[str, str], filters: Filters) -> bool:
    return (
        filters.species in row["species"].split()
        and filters.organ in (None, row["organ"])
        and (row["canonical marker"] == "1" or not filters.canonical_only)
    )


def _evidence(row: dict[str, str], suffix: str, where: str) -> Evidence:
    return Evidence(
        canonical={"1": True, "0": False}.get(row["canonical marker"]),
        sensitivity=_share(row, f"sensitivity_{suffix}", where),
        specificity=_share(row, f"specificity_{suffix}", where),
        organs=tuple({row["organ"]} - {MISSING}),
        also=tuple(n for n in row.get("nicknames", MISSING).split("|") if n not in (MISSING, "")),
    )


def _share(row: dict[str, str], column: str, where: str) -> float | None:
    value = row.get(column, MISSING)
    if value in (MISSING, ""):
        return None
    try:
        return float(value)
    except ValueError as error:
        raise DataError(
            f"{where}: {column} is {value!r}, not a number.", "Put it right, or get the file again."
        ) from error


def _entry(name: str, genes: dict[str, Evidence]) -> MarkerSet:
    organs = sorted({organ for evidence in genes.values() for organ in evidence.organs})
    return MarkerSet(name, genes, _term(name), tuple(organs))


@lru_cache
def _our_terms() -> dict[str, str]:
    """Names that the ontology's own words do not find, or find wrongly → id, "" for none."""
    with TERMS.open(encoding="utf-8", newline="") as handle:
        return {row["name"]: row["id"] for row in csv.DictReader(handle)}


def _term(name: str) -> str | None:
    if name in _our_terms():
        return _our_terms()[name] or None
    found = find_term(name)
    return found.id if found else None


PANGLAODB = DatabaseInfo(
    name=NAME,
    summary="Markers of 178 cell types of man and mouse, from the literature and submissions",
    reference="Franzén, Gan and Björkegren 2019, doi:10.1093/database/baz046",
    licence="none stated with the file; cite the paper",
    filters=("species", "organ", "canonical_only"),
    locate=locate_panglaodb,
    recognises=lambda header: {"official gene symbol", "cell type"} <= set(header),
    read=read_panglaodb,
)
