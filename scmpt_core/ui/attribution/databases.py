"""Which database of markers, and which of its entries count."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from scmpt_core.errors import ScmptError
from scmpt_core.markers import Filters, MarkerDatabase, list_databases, open_database
from scmpt_core.markers.base import SPECIES
from scmpt_core.ui.attribution.panglaodb import get_panglaodb
from scmpt_core.ui.components import plain

BUILTIN, CUSTOM, PANGLAODB = "builtin", "custom", "panglaodb"
EVERY_ORGAN = "all organs"
_KEY = "marker_database"


def choose_database() -> MarkerDatabase | None:
    """The database under its filters; ``None``, with what to do, where it cannot be used."""
    every = {row["name"]: row for row in list_databases()}
    ready = [name for name in (PANGLAODB, BUILTIN) if every[name]["ready"]]
    name = st.selectbox(
        "Database of markers", list(every), list(every).index(ready[0]), key=_KEY,
        format_func=lambda n: _words(every[n]), persist_state="session",
    )  # fmt: skip
    try:
        database = _upload() if name == CUSTOM else _open(every[name])
    except ScmptError as error:
        if name == PANGLAODB and not every[name]["ready"]:
            get_panglaodb(error)
        else:
            st.warning(f"**{plain(error.message)}** {plain(error.hint)}")
        if name != BUILTIN:
            st.button("Use the built-in table instead", key="use_builtin", on_click=_use_builtin,
                      icon=":material/table_rows:")  # fmt: skip
        return None
    if database is not None:
        notes = "".join(f" {note}." for note in database.notes)
        st.caption(
            f"Markers: **{plain(database.title)}**, {len(database.entries):,} cell types "
            f"({plain(every[name]['reference'])}).{plain(notes)}"
        )
    return database


def _words(row: dict) -> str:
    name = "your own table (CSV)" if row["name"] == CUSTOM else row["name"]
    return name if row["ready"] else f"{name} (not on this machine)"


def _use_builtin() -> None:
    st.session_state[_KEY] = BUILTIN


def _open(row: dict) -> MarkerDatabase:
    name, known = row["name"], row["filters"]
    if not row["ready"]:
        return open_database(name)  # says how to get it
    file = Path(row["path"])
    whole = _opened(name, file.stat().st_mtime, Filters())
    organs = sorted({organ for entry in whole.entries.values() for organ in entry.organs})
    species, organ, canonical = "Hs", EVERY_ORGAN, False
    if "species" in known:
        species = st.radio("Species", list(SPECIES), format_func=SPECIES.__getitem__,
                           horizontal=True, key=f"species_{name}")  # fmt: skip
    if "organ" in known:
        organ = st.selectbox("Organ", [EVERY_ORGAN, *organs], key=f"organ_{name}")
    if "canonical_only" in known:
        canonical = st.toggle("Canonical markers only", key=f"canonical_{name}")
    filters = Filters(species, None if organ == EVERY_ORGAN else organ, canonical)
    return _opened(name, file.stat().st_mtime, filters)


@st.cache_resource(max_entries=12, show_spinner="Reading the database …")
def _opened(name: str, changed: float, filters: Filters) -> MarkerDatabase:
    return open_database(name, filters)


def _upload() -> MarkerDatabase | None:
    given = st.file_uploader(
        "A CSV file of cell types and genes, or CellMarker's table as CSV",
        type=["csv", "tsv", "txt", "gz"], key="marker_file", max_upload_size=64,
    )  # fmt: skip
    if given is None:
        st.caption(
            "Two columns, cell type and gene, in either order; a table of Seurat or Scanpy; or a "
            "cell type over each column of genes. What is left out is told."
        )
        return None
    return _read(given.name, given.getvalue())


@st.cache_resource(max_entries=4, show_spinner="Reading the table …")
def _read(name: str, content: bytes) -> MarkerDatabase:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(content)
        return open_database(path)
