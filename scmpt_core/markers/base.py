"""What a database of marker genes is, and what all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scmpt_core.errors import SettingError
from scmpt_core.markers.source import Source
from scmpt_core.registry import find

SPECIES = {"Hs": "human", "Mm": "mouse"}


@dataclass(frozen=True)
class Filters:
    """Which of a database's entries and genes count.

    Raises
    ------
    SettingError
        The species is neither ``Hs`` nor ``Mm``.
    """

    species: str = "Hs"
    organ: str | None = None  # None: all
    canonical_only: bool = False

    def __post_init__(self) -> None:
        if self.species not in SPECIES:
            known = " or ".join(SPECIES)
            raise SettingError(f"The species is {self.species!r}, not {known}.", f"Name {known}.")

    @property
    def words(self) -> str:
        """For a title: "human, canonical only, organ Pancreas"."""
        parts = [SPECIES[self.species]]
        parts += ["canonical only"] if self.canonical_only else []
        parts += [f"organ {self.organ}"] if self.organ else []
        return ", ".join(parts)

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """What a database says of one gene as a marker of one type; None where it says nothing.

    Parameters
    ----------
    sensitivity, specificity
        As the database has them, 0…1. PanglaoDB's "specificity" rises with the share of all
        clusters that express the gene, so there lower seems to be better; its file does not say.
    records
        How often the source lists the gene for the type.
    also
        Other symbols of the gene.
    """

    canonical: bool | None = None
    sensitivity: float | None = None
    specificity: float | None = None
    records: int | None = None
    organs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def to_json(self) -> dict:
        """As a JSON object."""
        return {**asdict(self), "organs": list(self.organs), "also": list(self.also)}


@dataclass(frozen=True)
class MarkerSet:
    """An entry: a cell type by the database's name, and its marker genes."""

    name: str
    genes: Mapping[str, Evidence]  # symbol as the database writes it → evidence
    term: str | None = None  # of the Cell Ontology
    organs: tuple[str, ...] = ()
    reference: str = ""  # DOI, where the entry has its own

    def to_json(self) -> dict:
        """As a JSON object."""
        genes = {symbol: evidence.to_json() for symbol, evidence in self.genes.items()}
        return {**vars(self), "genes": genes, "organs": list(self.organs)}


@dataclass(frozen=True)
class MarkerDatabase:
    """A database as read: every view of it says :attr:`title`.

    Parameters
    ----------
    name
        Of the kind, as in the registry.
    filter
        In words: "human, canonical only".
    sha256
        Of the file that was read.
    notes
        What was left out in reading, in words.
    """

    name: str
    version: str
    filter: str
    entries: Mapping[str, MarkerSet]
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Database, version and filter."""
        return ", ".join(part for part in (self.name, self.version, self.filter) if part)

    def entry(self, name: str) -> MarkerSet:
        """The entry called ``name``.

        Raises
        ------
        SettingError
            There is none.
        """
        return find(self.entries.values(), name, f"cell type in {self.title},")

    def to_json(self) -> dict:
        """What there is to say about it as a JSON object; of the entries, the number."""
        return {
            "name": self.name,
            "version": self.version,
            "filter": self.filter,
            "sha256": self.sha256,
            "types": len(self.entries),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class DatabaseInfo:
    """The metadata record of a kind of database.

    Parameters
    ----------
    filters
        Fields of :class:`Filters` that it knows.
    locate
        Where the file is on this machine; None for a kind that has no file of its own. Raises
        MissingComponent, saying what to do, where it is not here.
    recognises
        Whether a file with this header (names of its columns) is of the kind.
    read
        ``read(source, filters)``: the database out of the file's text.
    """

    name: str
    summary: str
    reference: str
    licence: str
    filters: tuple[str, ...]
    locate: Callable[[], Path] | None
    recognises: Callable[[list[str]], bool]
    read: Callable[[Source, Filters], MarkerDatabase] = field(repr=False)


def check_filters(info: DatabaseInfo, filters: Filters) -> None:
    """Refuse a filter that the database does not know, rather than leave it out.

    Raises
    ------
    SettingError
        One was asked for.
    """
    plain = Filters()
    for name, value in vars(filters).items():
        if name not in info.filters and value != getattr(plain, name):
            raise SettingError(
                f"{info.name} cannot be filtered by {name.replace('_', ' ')} (asked for: {value}).",
                "Leave this filter out, or choose another database.",
            )


def check_organ(filters: Filters, there: set[str]) -> None:
    """Refuse an organ that no row has.

    Raises
    ------
    SettingError
        With those that there are.
    """
    if filters.organ and filters.organ not in there:
        raise SettingError(
            f"The database has no organ {filters.organ!r}; there are: {', '.join(sorted(there))}.",
            "Name one of these.",
        )
