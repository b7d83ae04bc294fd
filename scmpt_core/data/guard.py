"""What an untrusted file may hold, looked at before any reader opens it.

HDF5 can point outside itself: external storage, external links and virtual datasets make a
reader return bytes of *another* file of this machine without a word; soft and hard links can
loop or multiply a small file. None of these occur in files that biologists exchange, so they
are refused. Archives are judged by their directory before anything is unpacked.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import h5py

from scmpt_core.errors import FileRefused
from scmpt_core.settings import Settings

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS = 100_000  # groups and datasets in one HDF5 file
MAX_RATIO = 2000  # unpacked ÷ stored bytes; gzip itself reaches about 1,000
SMALL = 1 << 20  # below this, a high ratio harms nobody
ASK_FOR_COPY = "Ask its author for a plain copy (adata.write_h5ad), or export one yourself."


def check_size(path: Path, settings: Settings) -> None:
    """Refuse a missing, empty or too large file."""
    if not path.exists():
        raise FileRefused(f"{path} does not exist.", "Check the path.")
    if path.is_dir():
        return
    if not path.is_file():
        raise FileRefused(f"{path} is not a regular file.", "Give a file or a 10x folder.")
    size = path.stat().st_size
    if size == 0:
        raise FileRefused(f"{path.name} is empty (0 bytes).", "Copy or download it again.")
    if size > settings.max_file_mb << 20:
        raise FileRefused(
            f"{path.name} has {size >> 20:,} MB; the limit is {settings.max_file_mb:,} MB.",
            "Raise SCMPT_MAX_FILE_MB if this machine has the memory.",
        )


def scan_hdf5(path: Path, settings: Settings) -> None:
    """Walk an HDF5 file without following any link that leaves its tree.

    Raises
    ------
    FileRefused
        Not HDF5, damaged, a forbidden link or storage, or far more declared than stored.
    """
    with path.open("rb") as handle:
        if handle.read(8) != HDF5_MAGIC:
            raise FileRefused(
                f"{path.name} is not an HDF5 file, whatever its name says.",
                "Check what it is, and rename it or export it again.",
            )
    try:
        with h5py.File(path, "r", locking=False) as file:
            declared = _walk(file, path.name)
    except (OSError, RuntimeError, KeyError) as error:
        raise FileRefused(
            f"{path.name} is damaged: {error}", "Copy or download it again."
        ) from error
    _check_ratio(path.name, declared, path.stat().st_size, settings)


def _walk(file: h5py.File, name: str) -> int:
    seen = {h5py.h5o.get_info(file.id).addr}
    stack, declared = [file], 0
    while stack:
        group = stack.pop()
        for key in group:
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
                raise FileRefused(f"{name} holds {kind} at {group.name}/{key}.", ASK_FOR_COPY)
            item = group[key]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise FileRefused(
                    f"{name} holds one object under two names (the second: {group.name}/{key}).",
                    ASK_FOR_COPY,
                )
            seen.add(address)
            if len(seen) > MAX_OBJECTS:
                raise FileRefused(f"{name} holds over {MAX_OBJECTS:,} objects.", ASK_FOR_COPY)
            if isinstance(item, h5py.Group):
                stack.append(item)
            elif isinstance(item, h5py.Dataset):
                declared += _dataset_bytes(item, name)
    return declared


def _dataset_bytes(dataset: h5py.Dataset, name: str) -> int:
    if dataset.is_virtual:
        raise FileRefused(f"{name} holds a virtual dataset at {dataset.name}.", ASK_FOR_COPY)
    if dataset.external:
        raise FileRefused(f"{name} keeps {dataset.name} in another file.", ASK_FOR_COPY)
    return 0 if dataset.shape is None else int(dataset.size) * dataset.dtype.itemsize


def _check_ratio(name: str, declared: int, stored: int, settings: Settings) -> None:
    limit = settings.max_memory_mb << 20
    if declared > limit:
        raise FileRefused(
            f"{name} would unpack to {declared >> 20:,} MB; the limit is "
            f"{settings.max_memory_mb:,} MB.",
            "Raise SCMPT_MAX_MEMORY_MB if this machine has the memory, or take a subset of cells.",
        )
    if declared > SMALL and declared > MAX_RATIO * stored:
        raise FileRefused(
            f"{name} has {stored:,} bytes and declares {declared:,}, over {MAX_RATIO} times more.",
            ASK_FOR_COPY,
        )


def scan_archive(path: Path, settings: Settings) -> list[str]:
    """Names of the plain files in a ``.zip`` or ``.tar.gz``, judged from its directory alone.

    Raises
    ------
    FileRefused
        Damaged, links, paths that leave the folder, or too much to unpack.
    """
    try:
        members = _zip_members(path) if zipfile.is_zipfile(path) else _tar_members(path, settings)
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise FileRefused(
            f"{path.name} is damaged: {error}", "Copy or download it again."
        ) from error
    for name, _size, plain in members:
        parts = PurePosixPath(name.replace("\\", "/"))
        if not plain or parts.is_absolute() or ".." in parts.parts:
            raise FileRefused(
                f"{path.name} holds {name!r}, a link or a path that leaves the archive.",
                "Pack the 10x files again as plain files.",
            )
    _check_ratio(path.name, sum(size for _, size, _ in members), path.stat().st_size, settings)
    return [name for name, _, _ in members]


def _zip_members(path: Path) -> list[tuple[str, int, bool]]:
    with zipfile.ZipFile(path) as archive:
        return [
            (m.filename, m.file_size, not stat.S_ISLNK(m.external_attr >> 16))
            for m in archive.infolist()
            if not m.is_dir()
        ]


def _tar_members(path: Path, settings: Settings) -> list[tuple[str, int, bool]]:
    members, total = [], 0
    with tarfile.open(path) as archive:
        for m in archive:  # one by one: a bomb is noticed before it is read to its end
            total += m.size
            if not m.isdir():
                members.append((m.name, m.size, m.isfile()))
            if total > settings.max_memory_mb << 20:
                break  # the caller sees the sum and refuses
            if len(members) > MAX_OBJECTS:
                raise FileRefused(f"{path.name} holds over {MAX_OBJECTS:,} files.", ASK_FOR_COPY)
    return members
