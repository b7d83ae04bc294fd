"""What is kept: whole or not at all, seen by its owner alone, brought back after a delete."""

from __future__ import annotations

import io
import os
import time

import h5py
import numpy as np
import pytest

from scmpt_core.data import View
from scmpt_core.errors import DataError, FileRefused, SettingError
from scmpt_core.library import (
    Library,
    add_dataset,
    file_of,
    map_of,
    open_dataset,
    save_map,
    set_view,
    undo_view,
    view_of,
)
from scmpt_core.library import items as items_module
from tests.conftest import toy


@pytest.fixture
def library(home):
    return Library(home)


@pytest.fixture
def item(library, write):
    return add_dataset(library, "ann", write(toy()))


def test_a_failure_while_writing_leaves_nothing(library):
    def fill(folder):
        (folder / "half").write_text("x")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        library.add("ann", "model", "m", fill)
    assert library.list("ann", "model") == []
    assert [p for p in library.home.rglob("*") if p.name == "half"] == []


def test_another_owner_sees_nothing_and_changes_nothing(library, item):
    assert library.list("bob", "dataset") == []
    for call in (
        lambda: library.get("bob", "dataset", item.id),
        lambda: library.delete("bob", "dataset", item.id),
        lambda: library.update("bob", "dataset", item.id, name="mine"),
    ):
        with pytest.raises(SettingError, match="There is no dataset"):
            call()
    library.delete("ann", "dataset", item.id)
    library.restore("bob", item.id)
    assert library.purge("bob", item.id) == 0
    assert library.list("ann", "dataset") == []
    assert library.deleted("bob", "dataset") == []
    library.restore("ann", item.id)
    assert library.get("ann", "dataset", item.id) == item


def test_purge_frees_the_disk(library, item):
    library.delete("ann", "dataset", item.id)
    assert item.folder.exists()
    assert library.purge("ann", item.id) == 1
    assert not item.folder.exists()
    assert library.deleted("ann", "dataset") == []


def test_long_deleted_items_go_by_themselves(library, item, monkeypatch):
    library.delete("ann", "dataset", item.id)
    assert library.purge() == 0
    monkeypatch.setattr(items_module, "KEPT_FOR", -1)
    assert library.purge() == 1


def test_leftovers_of_killed_processes_are_swept_when_old(library, item):
    new, old = (library.home / "items" / "dataset" / f".new-{n}" for n in "ab")
    for folder in (new, old):
        folder.mkdir()
    past = time.time() - 2 * items_module.KEPT_FOR
    os.utime(old, (past, past))
    library.purge()
    assert new.exists()
    assert not old.exists()


def test_names_are_one_line_and_not_empty(library, item):
    assert library.update("ann", "dataset", item.id, name=" a\n\x00b ").name == "a b"
    assert len(library.update("ann", "dataset", item.id, name="x" * 500).name) == 120
    with pytest.raises(SettingError, match="empty"):
        library.update("ann", "dataset", item.id, name="\n ")


def test_the_database_is_its_owners_file_alone(library, item):
    assert (library.home / "scmpt.sqlite").stat().st_mode & 0o077 == 0


def test_a_dataset_is_copied_and_kept_once(library, write):
    path = write(toy())
    first = add_dataset(library, "ann", path)
    again = add_dataset(library, "ann", io.BytesIO(path.read_bytes()), "other name.h5ad")
    assert again.id == first.id
    assert add_dataset(library, "bob", path).id != first.id
    path.unlink()
    assert len(open_dataset(first).usable()) == 120
    assert file_of(first).name == "cells.h5ad"


def test_a_10x_folder_and_the_demo(library, tmp_path):
    import gzip

    import scipy.io

    folder = tmp_path / "tenx"
    folder.mkdir()
    with gzip.open(folder / "matrix.mtx.gz", "wb") as out:
        scipy.io.mmwrite(out, toy().X.T.tocoo())
    for name, lines in (("barcodes", toy().obs_names), ("features", toy().var_names)):
        rows = [f"{x}\t{x}\tGene Expression" if name == "features" else x for x in lines]
        with gzip.open(folder / f"{name}.tsv.gz", "wt") as out:
            out.write("\n".join(rows) + "\n")
    kept = add_dataset(library, "ann", folder)
    assert len(open_dataset(kept).usable()) == 120
    demo = add_dataset(library, "ann", "demo")
    assert (demo.name, open_dataset(demo).name, demo.meta["cells"]) == ("demo", "demo", 700)


def test_what_is_refused_is_not_kept(library, tmp_path, monkeypatch):
    hostile = tmp_path / "bad.h5ad"
    with h5py.File(hostile, "w") as file:
        file["x"] = h5py.ExternalLink("/etc/passwd", "/x")
    for source, name in ((hostile, None), (io.BytesIO(b"x"), "a.docx"), (tmp_path / "no", None)):
        with pytest.raises(FileRefused):
            add_dataset(library, "ann", source, name)
    monkeypatch.setenv("SCMPT_MAX_FILE_MB", "1")
    with pytest.raises(FileRefused, match="larger than 1 MB"):
        add_dataset(library, "ann", io.BytesIO(b"0" * (3 << 20)), "big.h5ad")
    assert library.list("ann", "dataset") == []
    assert [p for p in library.home.rglob("*.h5ad")] == []


def test_a_folder_is_judged_before_it_is_copied(library, tmp_path):
    (tmp_path / "private.txt").write_text("x")
    for path in (tmp_path, "/", ".", "~nosuchuser/x.h5ad", "x" * 300, "a\0b"):
        with pytest.raises(FileRefused):
            add_dataset(library, "ann", path)
    assert [p for p in library.home.rglob("private.txt")] == []


def test_a_name_cannot_lead_out_of_the_folder(library, write):
    data = io.BytesIO(write(toy()).read_bytes())
    kept = add_dataset(library, "ann", data, "../../../evil.h5ad")
    assert file_of(kept).parent == kept.folder


def test_choices_are_kept_undone_and_checked(library, item):
    changed = set_view(library, item, View(min_genes=25))
    assert changed.meta["cells"] < 120
    assert view_of(changed).min_genes == 25
    assert set_view(library, changed, View(min_genes=25)) is changed
    with pytest.raises(DataError, match="no matrix"):
        set_view(library, changed, View(matrix="nope"))
    back = undo_view(library, library.get("ann", "dataset", item.id))
    assert (view_of(back), back.meta["cells"]) == (View(), 120)
    with pytest.raises(SettingError, match="nothing to undo"):
        undo_view(library, back)


def test_a_map_belongs_to_its_view(library, item):
    save_map(item, np.ones((120, 2), np.float32))
    assert map_of(item).shape == (120, 2)
    assert map_of(set_view(library, item, View(min_genes=25))) is None
