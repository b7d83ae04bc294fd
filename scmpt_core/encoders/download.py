"""Weights that do not ship: fetched once from the model hub, or copied from a folder."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scmpt_core.encoders.scgpt.checkpoint import RECORD
from scmpt_core.encoders.scgpt.convert import convert
from scmpt_core.encoders.weights import (
    DOWNLOADS,
    ByteMeter,
    Download,
    FirstHashes,
    HubFile,
    Listing,
    check,
    check_listing,
    check_room,
    copy_folder,
    fetch,
    find_files,
    list_files,
    only_one,
    partial,
    put_in_place,
    recover,
    size_of,
)
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.progress import Progress, part
from scmpt_core.settings import get_settings

__all__ = ["DOWNLOADS", "download"]
CONVERTED = "model.safetensors"
COPY = "copy"  # staging of a folder; that of a download is named by its commit


def download(
    name: str, progress: Progress, source: Path | None = None, endpoint: str | None = None
) -> dict:
    """Install ``name`` under ``SCMPT_HOME``, from the hub or from the folder ``source``.

    What is there already stays until the new files are complete and checked. A download that was
    cut off or cancelled continues at the next call; a damaged file is thrown away.

    Parameters
    ----------
    endpoint
        Address of the hub; None for that of ``HF_ENDPOINT``, or huggingface.co.

    Returns
    -------
    Name, folder, where it is from, the SHA-256 of each file with what it was held to, and what
    was converted.

    Raises
    ------
    SettingError
        Nothing of that name can be downloaded.
    MissingComponent
        No network, no such repository, no room, a missing or a damaged file, or another process
        at the same; nothing is installed then.
    """
    item = next((d for d in DOWNLOADS if d.name == name), None)
    if item is None:
        known = ", ".join(d.name for d in DOWNLOADS)
        raise SettingError(f"{name!r} cannot be downloaded; these can: {known}.", "Name one.")
    models = get_settings().models
    models.mkdir(parents=True, exist_ok=True)
    first = FirstHashes(models / "known_hashes.json")
    staging = models / ".partial" / name
    with only_one(models, name), _full_disk_said(item, models):
        recover(models, name)
        get, close = part(progress, 0.0, 0.9), part(progress, 0.9, 1.0)
        try:
            if source is None:
                staged, record = _from_hub(item, staging, first, get, endpoint)
            else:
                staged, record = _from_folder(item, source, staging, first, get)
            _finish(item, staged, record, close)
            put_in_place(staged, models, name)
        finally:
            shutil.rmtree(staging / COPY, ignore_errors=True)  # a refused copy does not stay
        if item.pickled:
            (models / name / item.pickled).unlink()  # its hash stays in the record
        shutil.rmtree(staging, ignore_errors=True)
    progress(1.0, f"{name}: installed")
    return {"folder": str(models / name), **record}


def _from_hub(
    item: Download, staging: Path, first: FirstHashes, progress: Progress, endpoint: str | None
) -> tuple[Path, dict]:
    """A folder with the wanted files, each checked as it arrives, and where they are from."""
    progress(0.0, f"{item.name}: asking the hub for its files")
    listing = list_files(item, endpoint)
    for file in listing.files:
        check_listing(item, file, first)
    staged = staging / listing.commit
    for other in staging.glob("*"):
        if other != staged:
            shutil.rmtree(other)  # of another commit, or a copy whose process died
    staged.mkdir(parents=True, exist_ok=True)
    sizes = {file.name: file.size for file in listing.files}
    done = sum(size_of(p) + size_of(partial(p)) for p in (staged / name for name in sizes))
    total = sum(sizes.values())
    check_room(staged, total - done + sizes.get(item.pickled, 0), item.name)
    meter = ByteMeter(progress, total, item.name, done)
    files = {
        file.name: _arrive(item, listing, file, staged, first, meter) for file in listing.files
    }
    first.remember(item, {n: f["sha256"] for n, f in files.items() if n not in item.sha256})
    return staged, _record(item, listing.commit, listing.endpoint, files)


def _arrive(
    item: Download, listing: Listing, file: HubFile, staged: Path, first: FirstHashes,
    meter: ByteMeter,
) -> dict:  # fmt: skip
    path = fetch(item, listing, file, staged, meter)
    try:
        return check(item, file.name, path, first, file)
    except MissingComponent:
        path.unlink()  # so that another try gets it anew
        raise


def _from_folder(
    item: Download, source: Path, staging: Path, first: FirstHashes, progress: Progress
) -> tuple[Path, dict]:
    """The same from a folder."""
    found, staged = find_files(item, source), staging / COPY
    sizes = {name: path.stat().st_size for name, path in found.items()}
    staging.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(staged, ignore_errors=True)
    check_room(staging, sum(sizes.values()) + sizes.get(item.pickled, 0), item.name)
    copy_folder(item, found, staged, progress)
    files = {name: check(item, name, staged / name, first) for name in found}
    return staged, _record(item, None, str(source), files)


def _record(item: Download, commit: str | None, source: str, files: dict) -> dict:
    return {
        "name": item.name,
        "repository": item.repository,
        "revision": item.revision,
        "commit": commit,  # a folder does not say its own
        "from": source,
        "files": dict(sorted(files.items())),
        "conversion": None,
    }


def _finish(item: Download, staged: Path, record: dict, progress: Progress) -> None:
    """Convert what is pickled, and write the record last."""
    if item.pickled:
        progress(0.0, f"{item.name}: converting {item.pickled} to {CONVERTED}")
        record["conversion"] = convert(staged / item.pickled, staged / CONVERTED)
    (staged / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


@contextmanager
def _full_disk_said(item: Download, models: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise MissingComponent(
            f"The disk of {models} became full while {item.name} was being installed.",
            "Free room there and run the same command again.",
        ) from error
