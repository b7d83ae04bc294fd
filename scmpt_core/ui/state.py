"""The visitor's own state: which dataset is open. Nothing here is shared between sessions."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from scmpt_core.data import SUFFIXES, Dataset, load
from scmpt_core.errors import FileRefused
from scmpt_core.settings import get_settings

_DATASET, _RESULTS = "dataset", "results"


def current_dataset() -> Dataset | None:
    """The open dataset of this session."""
    return st.session_state.get(_DATASET)


def set_dataset(dataset: Dataset) -> None:
    """Open ``dataset``; results of another one no longer apply."""
    st.session_state[_DATASET] = dataset
    st.session_state.pop(_RESULTS, None)


def forget() -> None:
    """Close the dataset and drop its results."""
    st.session_state.pop(_DATASET, None)
    st.session_state.pop(_RESULTS, None)


def results() -> dict:
    """What was computed on the open dataset."""
    return st.session_state.setdefault(_RESULTS, {})


def open_file(path: str) -> Dataset:
    """Open the demo, or a path on this machine where that is allowed."""
    if path != "demo" and not get_settings().local:
        raise FileRefused("Paths on the server cannot be opened.", "Upload the file.")
    return load(path)


def open_upload(upload: UploadedFile) -> Dataset:
    """Copy an upload to a private file of this call, open it, and remove the copy."""
    name = Path(upload.name).name
    if not name.lower().endswith(SUFFIXES):
        raise FileRefused(
            f"{name} is of no known kind; known: {', '.join(SUFFIXES)}.", "Export it as .h5ad."
        )
    home = get_settings().home
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="upload-") as folder:
        copy = Path(folder) / name
        with copy.open("wb") as target:
            shutil.copyfileobj(upload, target)
        return load(copy)
