"""Which column of a table of one's own holds the cell types, and which the genes.

Names of columns come first; what the genes are is then counted, since a name can mislead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from scmpt_core.errors import DataError
from scmpt_core.markers.human_genes import SEPARATORS, human_symbol, is_mouse
from scmpt_core.markers.source import Source
from scmpt_core.markers.species import of_species
from scmpt_core.ontology import find_term
from scmpt_core.wording import few

TYPE_NAMES = {
    "annotation", "cell", "celllabel", "cellname", "cluster", "ct", "group", "label",
    "population", "type",
}  # fmt: skip
TYPE, GENE = re.compile("celltype"), re.compile("gene|marker|symbol|feature|^names$")
FOLD_NAMES = {"avglog2fc", "avglogfc", "log2fc", "log2foldchange", "logfc", "logfoldchanges"}
SPECIES_NAMES = {"species", "organism"}
LOOKED_AT = 2_000  # lines; the rest of a table is like them
ENOUGH = 0.5  # of a column's values, to hold it for genes
Lines = list[tuple[int, list[str]]]  # number of the line and its cells
SHAPE = "Give two columns, the cell type and the gene, named `cell type` and `gene`."


@dataclass(frozen=True)
class Layout:
    """Positions of the columns, and of the first line below the header.

    ``types`` is None where each column is a cell type, named at its head.
    """

    types: int | None
    genes: int | None
    first: int
    fold_change: int | None = None
    species: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns a line has at least."""
        used = (self.types, self.genes, self.fold_change, self.species)
        return max((column + 1 for column in used if column is not None), default=0)


def best_split(source: Source) -> Source:
    """The table by commas or semicolons, whichever leaves more genes in one column.

    The first line of "T cell;CD3D,CD3E" has both.
    """
    if len(source.separators) == 1:
        return source
    ways = [replace(source, sign=sign) for sign in source.separators]
    return max(ways, key=_most_genes)


def _most_genes(source: Source) -> tuple[int, float]:
    """Of its columns: the most genes, and their share."""
    lines = source.head(LOOKED_AT)
    return max((c.known, c.share) for c in _counts(lines, len(lines[0][1])))


def tell_layout(source: Source) -> Layout:
    """Find the columns by their names, else by what they hold.

    A table of two columns needs no header. Where every column holds genes, the first line names
    the cell types.

    Raises
    ------
    DataError
        The columns cannot be told, or none holds genes of the human; with the counts.
    """
    lines, keys = source.lines[:LOOKED_AT], [_key(name) for name in source.header]
    genes = [i for i, key in enumerate(keys) if GENE.search(key)]
    types = [i for i, key in enumerate(keys) if i not in genes and _names_type(key)]
    if not genes and not types:
        return _by_content(source, lines)
    if len(keys) == 2 and not types:
        types = [1 - genes[0]] if len(genes) == 1 else []
    if len(types) != 1:
        raise _cannot_tell(source, "cell type", types)
    if len(lines) == 1:
        raise DataError(f"{source.path.name} has a header and no line below it.", SHAPE)
    options = genes or [i for i in range(len(keys)) if i != types[0] and len(keys) == 2]
    if not options:
        raise _cannot_tell(source, "gene", [])
    species = _at(keys, SPECIES_NAMES)
    counts = _counts(_of_human(source.lines[1:], species)[:LOOKED_AT], len(keys))
    best = max(options, key=lambda i: (counts[i].share, counts[i].known))
    if counts[best].names and counts[best].share < ENOUGH:
        raise _no_genes(source, counts, options)
    notes = ()
    if len(options) > 1:
        names = " and ".join(repr(source.header[i]) for i in options)
        notes = (f"of the columns {names}, {source.header[best]!r} was read as the genes",)
    return Layout(types[0], best, 1, _at(keys, FOLD_NAMES), species, notes)


@dataclass(frozen=True)
class _Count:
    """How many of a column's different values are genes of the human."""

    known: int
    names: tuple[str, ...]

    @property
    def share(self) -> float:
        return self.known / max(len(self.names), 1)


def _counts(lines: Lines, width: int) -> list[_Count]:
    """One for each of ``width`` columns."""
    out = []
    for column in range(width):
        cells = [row[column] for _, row in lines if column < len(row)]
        names = dict.fromkeys(name for cell in cells for name in SEPARATORS.split(cell) if name)
        out.append(_Count(sum(human_symbol(name) is not None for name in names), tuple(names)))
    return out


def _of_human(lines: Lines, species: int | None) -> Lines:
    if species is None:
        return lines
    return of_species([(n, row) for n, row in lines if len(row) > species], species, "Hs")[0]


def _by_content(source: Source, lines: Lines) -> Layout:
    """The layout of a table whose first line names no column."""
    width = len(source.header)
    counts, head = _counts(lines, width), _counts(lines[:1], width)
    below = _counts(lines[1:] or lines, width)
    filled = [i for i, count in enumerate(counts) if count.names]
    held = [i for i in filled if below[i].share >= ENOUGH]
    named = not any(head[i].known for i in held)  # no gene in the first line: it is a header
    if named and held == filled and len(held) > 1 and all(head[i].names for i in held):
        return Layout(None, None, 1, notes=("read as a table with a cell type over each column",))
    if len(head) != 2:
        raise _cannot_tell(source, "cell type", [])
    if len(held) == 2:
        raise DataError(
            f"{source.path.name}: both columns hold genes of the human, and no line names them.",
            SHAPE,
        )
    if not held:
        raise _no_genes(source, counts, [0, 1])
    types, genes = 1 - held[0], held[0]
    if not named or find_term(source.header[types]):  # a cell type, with what is no gene
        return Layout(types, genes, 0)
    said = f"line {lines[0][0]} was read as names of the columns: {few(source.header)}"
    return Layout(types, genes, 1, notes=(said,))


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _names_type(key: str) -> bool:
    return key in TYPE_NAMES or TYPE.search(key) is not None


def _at(keys: list[str], names: set[str]) -> int | None:
    return next((i for i, key in enumerate(keys) if key in names), None)


def _cannot_tell(source: Source, what: str, found: list[int]) -> DataError:
    many = "several columns that may be" if found else "no"
    return DataError(
        f"{source.path.name}, line {source.lines[0][0]}: {many} {what} among the columns "
        f"{', '.join(map(repr, source.header))}.",
        SHAPE,
    )


def _no_genes(source: Source, counts: list[_Count], options: list[int]) -> DataError:
    best = max((counts[i] for i in options), key=lambda count: sum(map(is_mouse, count.names)))
    mouse = [name for name in best.names if is_mouse(name)]
    if len(mouse) >= ENOUGH * len(best.names) > 0:
        return DataError(
            f"{source.path.name} looks like mouse: {len(mouse):,} of {len(best.names):,} genes are "
            f"symbols of the mouse ({few(mouse)}), {best.known:,} of the human.",
            "Give the genes of the human that correspond to them.",
        )
    held = "; ".join(
        f"column {i + 1} ({name!r}) has {count.known:,} among {len(count.names):,} values"
        for i, (name, count) in enumerate(zip(source.header, counts, strict=True))
    )
    return DataError(
        f"{source.path.name}: no column holds genes of the human. {held}.",
        f"{SHAPE} Genes are given by symbol (CD3D, not Cd3d or CD3) or Ensembl id.",
    )
