"""Datasets that are kept: the file as it was given, and the user's view of it beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from scmpt_core.data import DEMO, SUFFIXES, Dataset, View, folder_files, load
from scmpt_core.data.demo import demo_path
from scmpt_core.errors import FileRefused, SettingError
from scmpt_core.library.items import Item, Library
from scmpt_core.settings import Settings, get_settings

BLOCK = 1 << 20


def add_dataset(
    library: Library, owner: str, source: str | Path | BinaryIO, name: str | None = None
) -> Item:
    """Copy the demo (``"demo"``), a file, a 10x folder or an upload to disk, and check it.

    The same file given twice is kept once. A file that cannot be opened is not kept.

    Raises
    ------
    FileRefused
        The file cannot be opened, or must not be, or is larger than the limit.
    """
    limit = get_settings().max_file_mb
    if source == DEMO:
        name, source = name or DEMO, demo_path()
    elif isinstance(source, str | Path):
        source = _resolved(source)
        name = name or source.name
    file = "demo.h5ad" if name == DEMO else Path(name or "").name
    if not (isinstance(source, Path) and source.is_dir()) and not file.lower().endswith(SUFFIXES):
        raise FileRefused(
            f"{file} is of no known kind; known: {', '.join(SUFFIXES)}.", "Export it as .h5ad."
        )
    known = {item.meta["digest"]: item for item in library.list(owner, "dataset")}
    found: list[Item] = []

    def fill(folder: Path) -> dict:
        digest = _copy(source, folder / file, limit)
        if digest in known:
            found.append(known[digest])
            raise _AlreadyThereError
        dataset = load(folder / file)
        return {"file": file, "digest": digest, "view": {}, **_sizes(dataset)}

    try:
        return library.add(owner, "dataset", name or file, fill)
    except _AlreadyThereError:
        return found[0]
    except PermissionError as error:
        raise FileRefused(f"{name} may not be read: {error.strerror}.", "Ask its owner.") from error


def _resolved(path: str | Path) -> Path:
    """A typed path, made absolute."""
    try:
        full = Path(path).expanduser().resolve()
        there = full.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, no such user, a NUL byte
        raise FileRefused(f"{str(path)[:200]!r} is not a path: {error}.", "Check it.") from error
    if not there:
        raise FileRefused(f"{full} does not exist.", "Check the path.")
    return full


class _AlreadyThereError(Exception):
    """The same file is already kept."""


def _copy(source: Path | BinaryIO, target: Path, limit_mb: int) -> str:
    """Copy in blocks (memory stays small), return the hash of the content."""
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(source, Path) and source.is_dir():
        files = folder_files(source)  # refused before anything is copied
        target.mkdir()
        for file in files:
            digest.update(file.name.encode())
            with file.open("rb") as stream:
                _blocks(stream, target / file.name, limit_mb, digest)
    elif isinstance(source, Path):
        with source.open("rb") as stream:
            _blocks(stream, target, limit_mb, digest)
    else:
        source.seek(0)
        _blocks(source, target, limit_mb, digest)
    return digest.hexdigest()


def _blocks(stream: BinaryIO, target: Path, limit_mb: int, digest) -> None:
    with target.open("wb") as out:
        while block := stream.read(BLOCK):
            digest.update(block)
            out.write(block)
            if out.tell() > limit_mb * BLOCK:
                raise FileRefused(
                    f"{target.name} is larger than {limit_mb:,} MB, the limit.",
                    "Give fewer cells, or raise SCMPT_MAX_FILE_MB.",
                )


def _sizes(dataset: Dataset) -> dict:
    return {"cells": dataset.adata.n_obs, "genes": dataset.adata.n_vars}


def file_of(item: Item) -> Path:
    """The file as it was given."""
    return item.folder / item.meta["file"]


def view_of(item: Item) -> View:
    """The user's choices on it."""
    return View.from_json(item.meta["view"])


def open_dataset(item: Item, settings: Settings | None = None) -> Dataset:
    """Open, check and normalise it under its view."""
    return replace(load(file_of(item), view_of(item), settings), name=item.name)


def set_view(library: Library, item: Item, view: View) -> Item:
    """Choose anew; what is not a change is no write.

    Raises
    ------
    DataError
        The view names a matrix or a column that the file does not have.
    """
    if view == view_of(item):
        return item
    dataset = load(file_of(item), view)  # refused before it is kept
    past = [*item.meta.get("past", []), item.meta["view"]][-20:]
    return library.update(
        item.owner, "dataset", item.id, view=view.to_json(), past=past, **_sizes(dataset)
    )


def undo_view(library: Library, item: Item) -> Item:
    """Back to the choices before the last."""
    past = item.meta.get("past", [])
    if not past:
        raise SettingError("There is nothing to undo.", "")
    dataset = load(file_of(item), View.from_json(past[-1]))
    return library.update(
        item.owner, "dataset", item.id, view=past[-1], past=past[:-1], **_sizes(dataset)
    )


def _map_file(item: Item) -> Path:
    view = json.dumps(view_of(item).to_json(), sort_keys=True)
    return item.folder / f"umap-{hashlib.blake2b(view.encode(), digest_size=6).hexdigest()}.npy"


def map_of(item: Item) -> np.ndarray | None:
    """The computed map of its cells under the present view, (cells, 2), if there is one."""
    path = _map_file(item)
    return np.load(path, allow_pickle=False) if path.exists() else None


def save_map(item: Item, points: np.ndarray) -> None:
    """Keep a computed map."""
    path = _map_file(item)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as out:
        np.save(out, points, allow_pickle=False)
    temporary.replace(path)
