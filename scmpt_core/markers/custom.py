"""A table of one's own: a line a gene, with the cell type that it marks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from scmpt_core.errors import DataError
from scmpt_core.markers.base import DatabaseInfo, Evidence, Filters, MarkerDatabase, MarkerSet
from scmpt_core.markers.human_genes import GeneReader
from scmpt_core.markers.names import join_names
from scmpt_core.markers.source import Source
from scmpt_core.markers.species import of_species
from scmpt_core.markers.table import SHAPE, Layout, Lines, best_split, tell_layout
from scmpt_core.ontology import find_term
from scmpt_core.wording import few

NAME = "custom"
NO_NUMBER = {"", "na", "nan"}
LISTED = Evidence()  # a table of one's own says no more of a gene


def read_custom(source: Source, filters: Filters) -> MarkerDatabase:
    """Find the columns, keep the genes of the human, and note all that was left out or changed.

    A cell may list several genes. Rows of another species, and genes that are lower in the type
    (a negative fold change, as in Seurat's and Scanpy's tables), are left out. Names of types
    that are the same words are one entry.

    Raises
    ------
    DataError
        The file is empty, the columns cannot be told, a line lacks its type or its gene, or
        nothing is left.
    """
    source = best_split(source)
    if not source.lines:
        raise DataError(f"{source.path.name} is empty.", SHAPE)
    layout = tell_layout(source)
    rows, left_out = _wanted(source, layout)
    reader, rows_of, found = GeneReader(), Counter(), defaultdict(dict)
    for name, cell in _pairs(source, layout, rows):
        rows_of[name] += 1
        listed = found[name]
        for gene in reader.genes(cell):
            listed[gene] = LISTED
    stands, joined = join_names(rows_of)
    genes: dict[str, dict[str, Evidence]] = defaultdict(dict)
    for name, listed in found.items():
        genes[stands[name]].update(listed)
    bare = [name for name, listed in genes.items() if not listed]
    notes = (*layout.notes, *left_out, *reader.notes(), *joined)
    if bare:
        notes += (f"{len(bare)} types left out, of which no gene is left: {few(bare)}",)
    entries = {name: _entry(name, listed) for name, listed in genes.items() if listed}
    if not entries:
        raise DataError(f"{source.path.name}: no gene is left. {'; '.join(notes)}.", SHAPE)
    return MarkerDatabase(NAME, f"file {source.path.name}", "", entries, source.sha256, notes)


def _entry(name: str, genes: dict[str, Evidence]) -> MarkerSet:
    term = find_term(name)
    return MarkerSet(name, genes, term.id if term else None)


def _wanted(source: Source, layout: Layout) -> tuple[Lines, tuple[str, ...]]:
    """The rows of the human with genes that are higher in the type, and notes on the others."""
    rows, width, notes = source.lines[layout.first :], len(source.header), ()
    least = layout.width
    for number, row in rows:
        if len(row) < least or any(row[width:]):
            raise _wrong(source, number, f"has {len(row)} columns, the first line {width}: {row!r}")
    if layout.species is not None:
        rows, notes = of_species(rows, layout.species, "Hs")
    if layout.fold_change is not None:
        column = layout.fold_change
        higher = [(n, row) for n, row in rows if _number(source, n, row[column]) > 0]
        if lower := len(rows) - len(higher):
            notes += (f"{lower:,} rows left out: {source.header[column]} is not above 0",)
        rows = higher
    return rows, notes


def _number(source: Source, line: int, text: str) -> float:
    if text.casefold() in NO_NUMBER:
        return float("nan")
    try:
        return float(text)
    except ValueError as error:
        raise _wrong(source, line, f"has {text!r} as its fold change, not a number") from error


def _pairs(source: Source, layout: Layout, rows: Lines) -> Iterator[tuple[str, str]]:
    """Cell type, and a cell that names genes of it."""
    if layout.types is None:
        heads = source.header
        yield from ((heads[i], cell) for _, row in rows for i, cell in enumerate(row) if cell)
        return
    for number, row in rows:
        name, cell = row[layout.types], row[layout.genes]
        if not name:
            raise _wrong(source, number, f"has no cell type beside the gene {cell!r}")
        if not cell:
            raise _wrong(source, number, f"has no gene beside the cell type {name!r}")
        yield name, cell


def _wrong(source: Source, number: int, what: str) -> DataError:
    return DataError(
        f"{source.path.name}, line {number} {what}.",
        "Put that line right, and give every column a name and every line as many cells.",
    )


CUSTOM = DatabaseInfo(
    name=NAME,
    summary="A CSV file of your own with two columns: cell type and gene",
    reference="yours",
    licence="yours",
    filters=(),
    locate=None,
    recognises=lambda header: True,
    read=read_custom,
)
