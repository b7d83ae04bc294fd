"""Canonical markers of common human types, written for scMPT from the literature."""

from __future__ import annotations

from pathlib import Path

from scmpt_core.markers.base import (
    DatabaseInfo,
    Evidence,
    Filters,
    MarkerDatabase,
    MarkerSet,
    check_organ,
)
from scmpt_core.markers.source import Source

NAME = "builtin"
FILE = Path(__file__).parents[1] / "assets" / "markers" / "builtin.csv"
VERSION = "2"  # of the table; rises with every change to it


def read_builtin(source: Source, filters: Filters) -> MarkerDatabase:
    """Each line is a type: name, Cell Ontology term, organ, genes and where to read about them.

    Raises
    ------
    SettingError
        No type is of the organ asked for.
    """
    rows = [row for _, row in source.records()]
    check_organ(filters, {row["organ"] for row in rows})
    entries = {
        row["cell type"]: MarkerSet(
            row["cell type"],
            {g: Evidence(canonical=True, organs=(row["organ"],)) for g in row["genes"].split()},
            row["id"],
            (row["organ"],),
            row["doi"],
        )
        for row in rows
        if filters.organ in (None, row["organ"])
    }
    return MarkerDatabase(NAME, f"version {VERSION}", filters.words, entries, source.sha256)


BUILTIN = DatabaseInfo(
    name=NAME,
    summary="Canonical markers of common human types, a reference each; ships with scMPT",
    reference="a publication for each type",
    licence="MIT",
    filters=("organ", "canonical_only"),  # all are canonical
    locate=lambda: FILE,
    recognises=lambda header: False,  # by its name only: a copy that was changed is not version 2
    read=read_builtin,
)
