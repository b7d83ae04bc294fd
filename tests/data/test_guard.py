"""Hostile files are refused before a reader opens them."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import h5py
import numpy as np
import pytest

from scmpt_core.data import guard, load
from scmpt_core.errors import FileRefused
from scmpt_core.settings import get_settings


def external_storage(file, tmp_path):
    (tmp_path / "secret").write_bytes(b"\0" * 80)
    file.create_dataset("x", (10,), "f8", external=[(str(tmp_path / "secret"), 0, 80)])


def external_link(file, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = [1]
    file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")


def soft_link(file, tmp_path):
    file["y"] = [1]
    file["x"] = h5py.SoftLink("/y")


def virtual(file, tmp_path):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (4,))
    file.create_virtual_dataset("x", layout)


def hard_link_cycle(file, tmp_path):
    group = file.create_group("g")
    group["again"] = group


def many_names(file, tmp_path):
    file["a"] = np.zeros(4)
    file["b"] = file["a"]


def bomb(file, tmp_path):
    file.create_dataset("x", (1 << 33,), "f8", chunks=(1 << 16,), compression="gzip")


HOSTILE = [external_storage, external_link, soft_link, virtual, hard_link_cycle, many_names, bomb]


@pytest.mark.parametrize("suffix", [".h5ad", ".h5"])
@pytest.mark.parametrize("plant", HOSTILE, ids=lambda f: f.__name__)
def test_hostile_hdf5_is_refused(plant, suffix, tmp_path):
    path = tmp_path / f"bad{suffix}"
    with h5py.File(path, "w") as file:
        file.create_group("matrix")  # else a 10x file would be refused for lacking it
        plant(file, tmp_path)
    with pytest.raises(FileRefused) as refused:
        guard.scan_hdf5(path, get_settings())
    assert refused.value.hint
    with pytest.raises(FileRefused, match=str(refused.value.message[:20])):
        load(path)


@pytest.mark.parametrize("name", ["cells.h5ad", "cells.h5", "cells.zip", "cells.tar.gz"])
def test_a_file_that_is_not_what_its_name_says(name, tmp_path):
    (tmp_path / name).write_bytes(b"something else entirely")
    with pytest.raises(FileRefused):
        load(tmp_path / name)


def test_missing_empty_and_unknown(tmp_path):
    with pytest.raises(FileRefused, match="does not exist"):
        load(tmp_path / "no.h5ad")
    (tmp_path / "empty.h5ad").touch()
    with pytest.raises(FileRefused, match="empty"):
        load(tmp_path / "empty.h5ad")
    (tmp_path / "cells.docx").write_text("x")
    with pytest.raises(FileRefused, match="no known kind"):
        load(tmp_path / "cells.docx")


def test_size_limit(tmp_path, monkeypatch, counts, write):
    path = write(counts)
    monkeypatch.setenv("SCMPT_MAX_FILE_MB", "1")
    with path.open("ab") as file:
        file.truncate(2 << 20)
    with pytest.raises(FileRefused, match="limit is 1 MB"):
        load(path)


def test_zip_that_leaves_its_folder(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../matrix.mtx", "x")
    with pytest.raises(FileRefused, match="leaves the archive"):
        load(path)
    assert not (tmp_path.parent / "matrix.mtx").exists()


def test_tar_with_a_link(tmp_path):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("matrix.mtx")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member, io.BytesIO())
    with pytest.raises(FileRefused, match="link"):
        load(path)


def test_zip_bomb(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for i in range(3):
            archive.writestr(f"{i}.mtx", b"\0" * (8 << 20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_MAX_MEMORY_MB", "10")
        with pytest.raises(FileRefused, match="would unpack to"):
            load(path)


def test_tar_bomb(tmp_path, monkeypatch):
    monkeypatch.setenv("SCMPT_MAX_MEMORY_MB", "10")
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("matrix.mtx")
        member.size = 20 << 20
        archive.addfile(member, io.BytesIO(b"\0" * member.size))
    with pytest.raises(FileRefused, match="would unpack to"):
        load(path)


def test_csr_index_out_of_range(counts, write):
    path = write(counts)
    with h5py.File(path, "a") as file:
        file["X/indices"][0] = 10_000
    with pytest.raises(FileRefused, match="damaged sparse matrix"):
        load(path)


def test_a_matrix_that_declares_too_much_is_refused(tmp_path, monkeypatch):
    """The reader would allocate what the header says, whatever the file holds."""
    (tmp_path / "matrix.mtx").write_text(
        "%%MatrixMarket matrix coordinate integer general\n20000 1000 9000000000\n1 1 1\n"
    )
    (tmp_path / "barcodes.tsv").write_text("a\n")
    (tmp_path / "features.tsv").write_text("CD3D\tCD3D\n")
    with pytest.raises(FileRefused, match="declares 9,000,000,000 entries"):
        load(tmp_path)
    monkeypatch.setenv("SCMPT_MAX_MEMORY_MB", "1")
    (tmp_path / "matrix.mtx").unlink()
    with gzip.open(tmp_path / "matrix.mtx.gz", "wb") as out:
        out.write(b"0" * (3 << 20))
    with pytest.raises(FileRefused, match="unpacks to more than 1 MB"):
        load(tmp_path)
