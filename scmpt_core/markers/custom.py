"""A table of one's own: a line a gene, with the cell type that it marks."""

from __future__ import annotations

import re
from collections import defaultdict

from scmpt_core.errors import DataError
from scmpt_core.markers.base import DatabaseInfo, Evidence, Filters, MarkerDatabase, MarkerSet
from scmpt_core.markers.source import Source
from scmpt_core.ontology import find_term

NAME = "custom"
TYPE_NAMES = {"celltype", "type", "cell", "label", "celllabel", "cluster", "ct", "cellname"}
GENE_NAMES = {
    "gene", "genes", "symbol", "genesymbol", "genename", "marker", "markers", "markergene",
    "officialgenesymbol", "feature",
}  # fmt: skip
SEPARATORS = re.compile(r"[\s,;|]+")  # a cell may hold several genes
SHAPE = "Give two columns, the cell type and the gene, named `cell type` and `gene`."


def read_custom(source: Source, filters: Filters) -> MarkerDatabase:
    """Find the two columns by their names, or take the two that there are.

    A cell may list several genes. A table of two columns needs no header: its first line is
    one only where it names a column.

    Raises
    ------
    DataError
        The file is empty, the columns cannot be told, or a line lacks its type or its gene.
    """
    if not source.lines:
        raise DataError(f"{source.path.name} is empty.", SHAPE)
    type_column, gene_column, first = _columns(source)
    found: dict[str, dict[str, Evidence]] = defaultdict(dict)
    for number, row in source.lines[first:]:
        if max(type_column, gene_column) >= len(row):
            raise _wrong(source, number, f"has {len(row)} columns: {row!r}")
        genes = [gene for gene in SEPARATORS.split(row[gene_column]) if gene]
        if not row[type_column]:
            raise _wrong(source, number, f"has no cell type beside the gene {row[gene_column]!r}")
        if not genes:
            raise _wrong(source, number, f"has no gene beside the cell type {row[type_column]!r}")
        found[row[type_column]].update(dict.fromkeys(genes, Evidence()))
    if not found:
        raise DataError(f"{source.path.name} has a header and no line below it.", SHAPE)
    entries = {}
    for name, genes in found.items():
        term = find_term(name)
        entries[name] = MarkerSet(name, genes, term.id if term else None)
    return MarkerDatabase(NAME, f"file {source.path.name}", "", entries, source.sha256)


def _wrong(source: Source, number: int, what: str) -> DataError:
    return DataError(f"{source.path.name}, line {number} {what}.", "Put that line right.")


def _columns(source: Source) -> tuple[int, int, int]:
    """Positions of type and gene, and of the first line below the header."""
    keys = [re.sub(r"[\W_]+", "", name.casefold()) for name in source.header]
    types = [i for i, key in enumerate(keys) if key in TYPE_NAMES]
    genes = [i for i, key in enumerate(keys) if key in GENE_NAMES]
    if len(types) == 1 and len(genes) == 1:
        return types[0], genes[0], 1
    if len(keys) == 2 and len(types) + len(genes) == 1:  # the other column has a name of its own
        type_column = types[0] if types else 1 - genes[0]
        return type_column, 1 - type_column, 1
    if len(keys) == 2 and not types and not genes:
        return 0, 1, 0
    what = "cell type" if len(types) != 1 else "gene"
    many = "several columns that may be" if (types if what == "cell type" else genes) else "no"
    raise DataError(
        f"{source.path.name}, line {source.lines[0][0]}: {many} {what} among the columns "
        f"{', '.join(map(repr, source.header))}.",
        SHAPE,
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
