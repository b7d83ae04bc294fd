"""Cells come in: the demo, an upload, or a path on this machine."""

from __future__ import annotations

import streamlit as st

from scmpt_core.data import DEMO, SUFFIXES
from scmpt_core.errors import ScmptError
from scmpt_core.library import Item, add_dataset
from scmpt_core.settings import get_settings
from scmpt_core.ui.components import guarded, item_names, plain
from scmpt_core.ui.state import current_item, library, open_item, owner


def choose_file() -> None:
    """Three ways in; what was opened becomes the open dataset."""
    demo, upload, path = st.columns(3, border=True)
    with demo:
        st.markdown("**Demo cells**")
        st.caption("700 blood cells, 10 types, bundled with scanpy.")
        if st.button("Open demo cells", type="primary", key="demo", width="stretch"):
            with guarded(), st.spinner("Opening the demo …"):
                _opened(add_demo())
    with upload:
        _upload()
    with path:
        _path()


def add_demo() -> Item:
    """Keep the demo, once."""
    return add_dataset(library(), owner(), DEMO)


def _upload() -> None:
    limit = get_settings().max_file_mb
    given = st.file_uploader(
        "**Upload a file**",
        type=[s.lstrip(".") for s in SUFFIXES],
        key=f"upload_{st.session_state.setdefault('uploads', 0)}",
        max_upload_size=limit,
        help=".h5ad, 10x .h5, a zipped 10x folder, or a table of cells and genes. "
        "It is copied to this machine's disk and leaves it nowhere.",
    )
    if given is None:
        return
    refused = st.session_state.setdefault("refused", {})  # not read again at every rerun
    if given.file_id not in refused:
        try:
            with st.spinner(f"Reading {plain(given.name)} …"):
                item = add_dataset(library(), owner(), given, given.name)
        except ScmptError as error:
            st.session_state["refused"] = refused = {given.file_id: error}
        else:
            st.session_state["uploads"] += 1  # a fresh widget: the upload's memory is freed
            _opened(item)
    with guarded():
        raise refused[given.file_id]


def _path() -> None:
    if not get_settings().local:
        st.markdown("**A path on this machine**")
        st.caption("Switched off on this server; upload your file.")
        return
    with st.form("path", border=False):
        typed = st.text_input(
            "**A path on this machine**", key="typed_path", placeholder="~/data/cells.h5ad"
        )
        if st.form_submit_button("Open the path", width="stretch"):
            with guarded(), st.spinner("Copying and reading …"):
                if typed.strip():
                    _opened(add_dataset(library(), owner(), typed.strip()))
                else:
                    st.warning("Type a path first, such as ~/data/cells.h5ad.")


def _opened(item: Item) -> None:
    open_item(item)
    st.rerun()


def dataset_picker(label: str = "Dataset") -> Item | None:
    """Which of one's datasets; the open one stands first chosen."""
    items = {item.id: item for item in library().list(owner(), "dataset")}
    current = current_item()
    if current is None:
        return None
    ids, names = list(items), item_names(list(items.values()))
    chosen = st.selectbox(label, ids, index=ids.index(current.id), format_func=names.__getitem__)
    if chosen != current.id:
        st.query_params.clear()  # a result in the link belongs to the other dataset
        open_item(items[chosen])
        st.rerun()
    return items[chosen]
