"""Items: a row in the database and a folder on disk. The row is written last."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scmpt_core.errors import SettingError
from scmpt_core.library.database import transaction

LOCAL = "local"  # the owner where nobody logs in
KINDS = ("dataset", "comparison", "model", "classification", "attribution", "ablation")
SCRATCH = "scratch"  # finished parts of unfinished jobs
KEPT_FOR = 7 * 24 * 3600  # seconds that a deleted item can be brought back


@dataclass(frozen=True)
class Item:
    """One thing that is kept.

    Parameters
    ----------
    size
        Bytes on disk.
    meta
        What there is to say about it, as JSON.
    deleted
        When it was deleted (seconds since 1970); it can be brought back for 7 days.
    """

    id: str
    owner: str
    kind: str
    name: str
    created: float
    size: int
    meta: dict
    folder: Path
    deleted: float | None = None


@dataclass(frozen=True)
class Library:
    """All items under one home folder. Every call names the owner, and sees only theirs."""

    home: Path

    def add(
        self, owner: str, kind: str, name: str, fill: Callable[[Path], dict], id: str | None = None
    ) -> Item:
        """Make an item: ``fill`` writes into a new folder and returns the item's ``meta``.

        An exception in ``fill`` leaves nothing behind. An item that is already there under
        ``id`` (a job that was run again) is replaced.
        """
        if kind not in KINDS:
            raise ValueError(f"no such kind of item: {kind}")
        id = id or secrets.token_hex(8)
        target = self._folder(kind, id)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
            staged = Path(temporary) / "item"
            staged.mkdir(mode=0o700)
            meta = fill(staged)
            size = sum(f.stat().st_size for f in staged.rglob("*") if f.is_file())
            if target.exists():
                shutil.rmtree(target)
            os.replace(staged, target)
        row = (id, owner, kind, clean_name(name), time.time(), None, size, json.dumps(meta))
        with transaction(self.home) as db:
            db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self.get(owner, kind, id)

    def get(self, owner: str, kind: str, id: str) -> Item:
        """The item.

        Raises
        ------
        SettingError
            There is none, it was deleted, or it is another owner's; these are not told apart.
        """
        found = self._rows("id = ? AND owner = ? AND kind = ? AND deleted IS NULL", id, owner, kind)
        if not found:
            raise SettingError(
                f"There is no {kind} {id!r}.", "It may have been deleted; choose another."
            )
        return found[0]

    def list(self, owner: str, kind: str) -> list[Item]:
        """The newest first, without the deleted ones."""
        return self._rows(
            "owner = ? AND kind = ? AND deleted IS NULL ORDER BY created DESC", owner, kind
        )

    def deleted(self, owner: str, kind: str) -> list[Item]:
        """Those that can be brought back."""
        return self._rows(
            "owner = ? AND kind = ? AND deleted > ? ORDER BY deleted DESC",
            owner, kind, time.time() - KEPT_FOR,
        )  # fmt: skip

    def update(
        self, owner: str, kind: str, id: str, name: str | None = None, **meta: object
    ) -> Item:
        """Rename, or change fields of ``meta``."""
        item = self.get(owner, kind, id)
        values = (clean_name(name) if name else item.name, json.dumps(item.meta | meta), id, owner)
        with transaction(self.home) as db:
            db.execute("UPDATE items SET name = ?, meta = ? WHERE id = ? AND owner = ?", values)
        return self.get(owner, kind, id)

    def delete(self, owner: str, kind: str, id: str) -> None:
        """Hide it; :meth:`restore` brings it back, :meth:`purge` removes it for good."""
        self.get(owner, kind, id)
        with transaction(self.home) as db:
            db.execute(
                "UPDATE items SET deleted = ? WHERE id = ? AND owner = ?", (time.time(), id, owner)
            )

    def restore(self, owner: str, id: str) -> None:
        """Undo :meth:`delete`."""
        with transaction(self.home) as db:
            db.execute("UPDATE items SET deleted = NULL WHERE id = ? AND owner = ?", (id, owner))

    def purge(self, owner: str | None = None, id: str | None = None) -> int:
        """Remove for good: one deleted item of an owner, or all that were deleted long ago."""
        if id is not None:
            gone = self._rows("id = ? AND owner = ? AND deleted IS NOT NULL", id, owner)
        else:
            gone = self._rows("deleted < ?", time.time() - KEPT_FOR)
        for item in gone:
            shutil.rmtree(item.folder, ignore_errors=True)
            with transaction(self.home) as db:
                db.execute("DELETE FROM items WHERE id = ?", (item.id,))
        if id is None:
            self._sweep()
        return len(gone)

    def _sweep(self) -> None:
        """Remove what killed processes left half-made, and parts that no job came back for."""
        old = time.time() - KEPT_FOR
        for folder in [*self.home.glob("items/*/.new-*"), *self.home.glob(f"{SCRATCH}/*")]:
            if folder.stat().st_mtime < old:
                shutil.rmtree(folder, ignore_errors=True)

    def _rows(self, where: str, *values: object) -> list[Item]:
        with transaction(self.home) as db:
            rows = db.execute(f"SELECT * FROM items WHERE {where}", values).fetchall()
        return [self._item(row) for row in rows]

    def _item(self, row: sqlite3.Row) -> Item:
        return Item(
            id=row["id"], owner=row["owner"], kind=row["kind"], name=row["name"],
            created=row["created"], size=row["bytes"], meta=json.loads(row["meta"]),
            folder=self._folder(row["kind"], row["id"]), deleted=row["deleted"],
        )  # fmt: skip

    def _folder(self, kind: str, id: str) -> Path:
        return self.home / "items" / kind / id


def clean_name(name: str) -> str:
    """A name as a person gave it, on one line and of a length that fits a list.

    Raises
    ------
    SettingError
        Nothing is left.
    """
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:120]
    if not name:
        raise SettingError("The name is empty.", "Give a name of 1 to 120 characters.")
    return name
