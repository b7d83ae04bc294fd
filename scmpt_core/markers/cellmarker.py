"""CellMarker 2.0 (Hu et al. 2023), human, as a table of tissue, cell type and a list of genes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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
from scmpt_core.ontology.words import label_key
from scmpt_core.settings import get_settings

NAME = "cellmarker"
COLUMNS = ("Tissue", "CT", "Gene")
NO_TISSUE = "Undefined"
TWO_NAMES = re.compile(r"(.+?)\s*\((.+)\)")


def locate_cellmarker() -> Path:
    """The file named by ``SCMPT_CELLMARKER_FILE``.

    There is no download: no hash of the file is published that one could be held to.

    Raises
    ------
    MissingComponent
        The variable is not set, or names no file.
    """
    path = get_settings().cellmarker_file
    if path is None or not path.is_file():
        raise MissingComponent(
            "CellMarker 2 is not on this machine"
            + (f": SCMPT_CELLMARKER_FILE is {path}, which is not a file." if path else "."),
            "Get its human markers as a table with the columns Tissue, CT and Gene (genes "
            "separated by commas) and name the file, or set SCMPT_CELLMARKER_FILE to it. scMPT "
            "does not download it, since no hash of it is published.",
        )
    return path


def read_cellmarker(source: Source, filters: Filters) -> MarkerDatabase:
    """Join the lines of each cell type: all tissues, and names that are the same words.

    "CD4 T cell" and "CD4+ T cell" are one entry, under the name that more lines have. A gene has
    as many records as the lists name it.

    Raises
    ------
    DataError
        Columns are missing, or a line names no cell type.
    SettingError
        No line has the tissue asked for.
    """
    if absent := [name for name in COLUMNS if name not in source.header]:
        raise DataError(
            f"{source.path.name} lacks CellMarker's columns {', '.join(absent)}.",
            f"Use a table with the columns {', '.join(COLUMNS)}.",
        )
    records = source.records()
    check_organ(filters, {row["Tissue"] for _, row in records} - {NO_TISSUE})
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    for number, row in records:
        if not row["CT"]:
            where = f"{source.path.name}, line {number}"
            raise DataError(f"{where} names no cell type.", "Put it right.")
        if filters.organ in (None, row["Tissue"]):
            lines[label_key(row["CT"]) or row["CT"]].append(row)
    entries = sorted((_entry(rows) for rows in lines.values()), key=lambda entry: entry.name)
    joined = len({row["CT"] for rows in lines.values() for row in rows}) - len(entries)
    notes = (f"{joined} names joined to another of the same words",) if joined else ()
    by_name = {entry.name: entry for entry in entries}
    version = f"file {source.path.name}"
    return MarkerDatabase(NAME, version, filters.words, by_name, source.sha256, notes)


def _entry(rows: list[dict[str, str]]) -> MarkerSet:
    name = Counter(row["CT"] for row in rows).most_common(1)[0][0]
    counts: Counter = Counter()
    tissues: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        listed = [gene.strip() for gene in row["Gene"].split(",") if gene.strip()]
        counts.update(listed)
        for gene in listed:
            tissues[gene].add(row["Tissue"])
    genes = {
        gene: Evidence(records=n, organs=tuple(sorted(tissues[gene] - {NO_TISSUE})))
        for gene, n in counts.most_common()
    }
    organs = tuple(sorted({row["Tissue"] for row in rows} - {NO_TISSUE}))
    return MarkerSet(name, genes, _term(name), organs)


def _term(name: str) -> str | None:
    """Its cell type; "Alpha cell (α cell)" is one where both halves mean the same."""
    found, halves = find_term(name), TWO_NAMES.fullmatch(name)
    if found is None and halves:
        first, second = map(find_term, halves.groups())
        found = first if first and second and first.id == second.id else None
    return found.id if found else None


CELLMARKER = DatabaseInfo(
    name=NAME,
    summary="Human markers by tissue, each with the number of records that list it",
    reference="Hu et al. 2023, doi:10.1093/nar/gkac947",
    licence="see its site; cite the paper",
    filters=("organ",),
    locate=locate_cellmarker,
    recognises=lambda header: set(COLUMNS) <= set(header),
    read=read_cellmarker,
)
