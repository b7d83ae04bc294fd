"""The list of databases. A kind is one file and one line here."""

from __future__ import annotations

from pathlib import Path

from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.markers.base import DatabaseInfo, Filters, MarkerDatabase, check_filters
from scmpt_core.markers.builtin import BUILTIN
from scmpt_core.markers.cellmarker import CELLMARKER
from scmpt_core.markers.custom import CUSTOM
from scmpt_core.markers.panglaodb import PANGLAODB
from scmpt_core.markers.source import read_source

# in the order in which a file is held to be one; the last takes any table
MARKERS = [BUILTIN, PANGLAODB, CELLMARKER, CUSTOM]
EVERYTHING = Filters()


def open_database(name_or_path: str | Path, filters: Filters = EVERYTHING) -> MarkerDatabase:
    """A database by its name, or out of a file, whose kind is told by its columns.

    Raises
    ------
    SettingError
        No database and no file is called so, or a filter that the database does not know.
    MissingComponent
        The database has to be downloaded or named first; the hint says how.
    FileRefused, DataError
        The file cannot be read, or is not what its columns say.
    """
    info = next((i for i in MARKERS if i.name == str(name_or_path) and i.locate), None)
    path = info.locate() if info else Path(name_or_path)
    if info is None and not path.is_file():
        known = ", ".join(i.name for i in MARKERS if i.locate)
        raise SettingError(
            f"{str(name_or_path)!r} is neither a file nor one of the databases {known}.",
            "Name one of these, or a CSV file with the columns `cell type` and `gene`.",
        )
    source = read_source(path)
    info = info or next(i for i in MARKERS if i.recognises(source.header))
    check_filters(info, filters)
    database = info.read(source, filters)
    if not database.entries:
        raise SettingError(f"{database.title} holds no cell type.", "Loosen the filters.")
    return database


def list_databases() -> list[dict]:
    """A row for each: what it is, whether it is here, and what to do where it is not."""
    return [{**_described(info), **_state(info)} for info in MARKERS]


def _described(info: DatabaseInfo) -> dict:
    fields = ("name", "summary", "reference", "licence")
    return {name: getattr(info, name) for name in fields} | {"filters": list(info.filters)}


def _state(info: DatabaseInfo) -> dict:
    if info.locate is None:
        return {"ready": True, "path": None, "how_to_get": "Name a file."}
    try:
        return {"ready": True, "path": str(info.locate()), "how_to_get": ""}
    except MissingComponent as error:
        return {"ready": False, "path": None, "how_to_get": error.hint}
