"""CellMarker 2.0 (Hu et al. 2023): its published table, or one of tissue, cell type and genes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from scmpt_core.errors import MissingComponent
from scmpt_core.markers.base import (
    DatabaseInfo,
    Evidence,
    Filters,
    MarkerDatabase,
    MarkerSet,
    check_organ,
)
from scmpt_core.markers.cellmarker_rows import NO_TISSUE, PUBLISHED, SHORT, Record, read_records
from scmpt_core.markers.names import join_names
from scmpt_core.markers.source import Source
from scmpt_core.ontology import find_term
from scmpt_core.ontology.words import label_key, words
from scmpt_core.settings import get_settings

NAME = "cellmarker"
INSIDE = re.compile(r"\s*\([^)]*\)\s*(?=.*\w)")  # before the end of the name
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
            "Get Cell_marker_Human.xlsx from its site and save it as CSV (columns "
            f"{', '.join(PUBLISHED)} and others), or a table with the columns {', '.join(SHORT)} "
            "(genes separated by commas); name the file, or set SCMPT_CELLMARKER_FILE to it. "
            "scMPT does not download it, since no hash of it is published.",
        )
    return path


def read_cellmarker(source: Source, filters: Filters) -> MarkerDatabase:
    """Join the lines of each cell type: all tissues, and names that are the same words.

    "CD4 T cell" and "CD4+ T cell" are one entry, under the name that more lines have; so are
    "T helper2 (Th2) cell" and "T helper 2(Th2) cell". A gene has the number of lines that list it.

    Raises
    ------
    DataError
        Columns are missing, or a line names no cell type.
    SettingError
        No line has the tissue asked for, or the file does not tell the species asked for.
    """
    records, notes = read_records(source, filters)
    check_organ(filters, {record.tissue for record in records} - {NO_TISSUE})
    wanted = [record for record in records if filters.organ in (None, record.tissue)]
    counts = Counter(record.name for record in wanted)
    stands, joined = join_names(counts, lambda name: label_key(without_repeats(name)))
    lines: dict[str, list[Record]] = defaultdict(list)
    for record in wanted:
        lines[stands[record.name]].append(record)
    entries = {name: _entry(name, lines[name]) for name in sorted(lines)}
    version = f"file {source.path.name}"
    return MarkerDatabase(NAME, version, filters.words, entries, source.sha256, (*notes, *joined))


def without_repeats(name: str) -> str:
    """The name without what only says it again in brackets: "T helper 2 cell".

    Brackets inside the name hold its abbreviation. Those at its end may hold more, "Capsular
    fibroblast(Fb2)", and go only where they mean the same cell type or are the initials.
    """
    name = INSIDE.sub(" ", name)
    halves = TWO_NAMES.fullmatch(name)
    if halves is None:
        return name
    first, second = map(find_term, halves.groups())
    same = first is not None and second is not None and first.id == second.id
    return halves[1] if same or _initials(*halves.groups()) else name


def _initials(name: str, short: str) -> bool:
    """Whether ``short`` is the first letters of the words, with or without that of "cell"."""
    letters = "".join(word[0] for word in words(name) if word != "cell")
    return short.casefold().removesuffix("s") in (letters, f"{letters}c")


def _entry(name: str, rows: list[Record]) -> MarkerSet:
    counts = Counter(gene for row in rows for gene in row.genes)
    tissues: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for gene in row.genes:
            tissues[gene].add(row.tissue)
    genes = {
        gene: Evidence(records=n, organs=tuple(sorted(tissues[gene] - {NO_TISSUE})))
        for gene, n in counts.most_common()
    }
    organs = tuple(sorted({row.tissue for row in rows} - {NO_TISSUE}))
    return MarkerSet(name, genes, _term(name, rows), organs)


def _term(name: str, rows: list[Record]) -> str | None:
    """The term that most lines name, else the one that the name means."""
    given = Counter(row.term for row in rows if row.term).most_common(1)
    found = find_term(without_repeats(name)) or find_term(name)
    return given[0][0] if given else found.id if found else None


CELLMARKER = DatabaseInfo(
    name=NAME,
    summary="Markers by tissue, each with the number of records that list it",
    reference="Hu et al. 2023, doi:10.1093/nar/gkac947",
    licence="see its site; cite the paper",
    filters=("species", "organ"),
    locate=locate_cellmarker,
    recognises=lambda header: set(PUBLISHED) <= set(header) or set(SHORT) <= set(header),
    read=read_cellmarker,
)
