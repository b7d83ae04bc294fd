"""What a file is held to: its published hash, else the one that its first download had."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from safetensors import SafetensorError, safe_open

from scmpt_core.encoders.scgpt.checkpoint import file_sha256
from scmpt_core.encoders.weights.published import Download
from scmpt_core.errors import MissingComponent

PUBLISHED = "held to the published SHA-256"
RECORDED = "recorded at first download (no published hash known)"
SAME = "equal to the first download (no published hash known)"
UNHELD = "held to nothing (no published hash known, nothing downloaded before)"


@dataclass(frozen=True)
class HubFile:
    """A file as the hub lists it; its hashes tell damage on the way, not who published it."""

    name: str
    size: int  # bytes
    sha256: str | None  # of files in large file storage
    git_sha1: str | None  # of all others: git's hash of a blob


class FirstHashes:
    """The SHA-256 of first downloads: name → revision → file, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, item: Download) -> dict[str, str]:
        """File → hash; empty before the first download of this revision."""
        return self._read().get(item.name, {}).get(item.revision, {})

    def remember(self, item: Download, found: dict[str, str]) -> None:
        """Add the hashes of files that have none yet; those that are there stay."""
        if not found:
            return
        with FileLock(self.path.with_suffix(".lock")):
            book = self._read()
            known = book.setdefault(item.name, {}).setdefault(item.revision, {})
            book[item.name][item.revision] = found | known
            temporary = self.path.with_suffix(".tmp")
            temporary.write_text(json.dumps(book, indent=1))
            os.replace(temporary, self.path)

    def _read(self) -> dict:
        try:
            book = json.loads(self.path.read_text(encoding="utf-8"))
            if not all(isinstance(v, dict) for by in book.values() for v in by.values()):
                raise ValueError("it does not hold name → revision → file")
        except FileNotFoundError:
            return {}
        except (AttributeError, ValueError) as error:
            raise MissingComponent(
                f"The record of first downloads, {self.path}, cannot be read: {error}.",
                "Remove it; the next download is then recorded as the first.",
            ) from error
        return book


def expected(item: Download, name: str, first: FirstHashes) -> tuple[str | None, str]:
    """The hash that a file must have, where one is known, and what that is."""
    if name in item.sha256:
        return item.sha256[name], PUBLISHED
    recorded = first.of(item).get(name)
    return (recorded, SAME) if recorded else (None, UNHELD)


def check(
    item: Download, name: str, path: Path, first: FirstHashes, listed: HubFile | None = None
) -> dict[str, str]:
    """Hold a file that has arrived at ``path`` to all that is known of it.

    Parameters
    ----------
    listed
        What the hub says of it; None for a file that was copied by hand.

    Returns
    -------
    Its ``sha256`` and what it was ``check``-ed against, in words.

    Raises
    ------
    MissingComponent
        Another hash, or not the kind of file that its name says.
    """
    found = file_sha256(path)
    if listed is not None:
        _check_listed(item, path, listed, found)
    wanted, kind = expected(item, name, first)
    if wanted is not None and wanted != found:
        raise _refused(item, name, found, wanted, kind, first.path)
    if wanted is None:
        _check_kind(item, name, path)
        kind = RECORDED if listed is not None else UNHELD
    return {"sha256": found, "check": kind}


def check_listing(item: Download, listed: HubFile, first: FirstHashes) -> None:
    """Refuse before anything is fetched where the hub itself lists another hash.

    Raises
    ------
    MissingComponent
        The hub holds another file under this name.
    """
    wanted, kind = expected(item, listed.name, first)
    if wanted and listed.sha256 and wanted != listed.sha256:
        raise _refused(item, listed.name, listed.sha256, wanted, kind, first.path)


def _refused(
    item: Download, name: str, found: str, wanted: str, kind: str, record: Path
) -> MissingComponent:
    if kind == PUBLISHED:
        return MissingComponent(
            f"{name} of {item.name} has SHA-256 {found}, not {wanted} as published.",
            "It was not installed. Run the same command again, or copy the file anew.",
        )
    return MissingComponent(
        f"{name} of {item.name} has SHA-256 {found}, not {wanted} as at the first download.",
        "It was not installed. Get it again; to accept the new file, remove the entry "
        f"{item.name} → {item.revision} → {name} from {record} and run the same command again.",
    )


def _check_listed(item: Download, path: Path, listed: HubFile, found: str) -> None:
    kind, wanted = ("SHA-256", listed.sha256) if listed.sha256 else ("git hash", listed.git_sha1)
    arrived = found if listed.sha256 else _git_sha1(path) if listed.git_sha1 else None
    if wanted != arrived:
        raise MissingComponent(
            f"{listed.name} of {item.name} arrived damaged: its {kind} is {arrived}, not {wanted} "
            "as the hub lists it.",
            "It was thrown away. Run the same command again.",
        )


def _git_sha1(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _check_kind(item: Download, name: str, path: Path) -> None:
    """A file of which no hash is known must at least be whole."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as tensors:  # the sizes in its header must fit the file
                tensors.keys()
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
    except (SafetensorError, ValueError) as error:
        raise MissingComponent(
            f"{name} of {item.name} is damaged: {error}.", "It was not installed. Get it again."
        ) from error
