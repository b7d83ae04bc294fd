"""What every kind of job is given, and what it says of itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.jobs.records import Job
from scmpt_core.library import Item, Library, note_rate
from scmpt_core.progress import Progress


@dataclass(frozen=True)
class Context:
    """The record, and the means to do the work."""

    job: Job
    library: Library
    store: EmbeddingStore
    device: Device
    progress: Progress
    scratch: Path  # for finished parts; a job with the same settings finds them again

    def item(self, kind: str, key: str) -> Item:
        """The owner's item that ``settings[key]`` names."""
        item = self.library.get(self.job.owner, kind, self.job.settings[key])
        if kind == "dataset":  # as it was seen when the job was asked for
            view = self.job.settings.get("view", item.meta["view"])
            item = replace(item, meta=item.meta | {"view": view})
        return item

    def keep(self, kind: str, name: str, fill: Callable[[Path], dict], page: str) -> dict:
        """Add what was made to the owner's items under the job's id, and drop finished parts.

        Returns
        -------
        What ``run`` has to: the page that shows it, and its id.
        """
        self.library.add(self.job.owner, kind, name, fill, id=self.job.id)
        self.drop_parts()
        return {"page": page, "item": self.job.id}

    def drop_parts(self) -> None:
        """Finished parts are no longer needed once the result is kept."""
        shutil.rmtree(self.scratch, ignore_errors=True)

    def note(self, name: str, cells_per_second: float) -> None:
        """Remember how fast something was on this device."""
        note_rate(self.library.home, self.device.name, name, cells_per_second)


@dataclass(frozen=True)
class JobKind:
    """One line of the registry.

    Parameters
    ----------
    title
        Checks the settings and says in words what the job will do; raises a ``ScmptError`` for
        settings that cannot be used.
    run
        Does the work; returns ``{"page": …, "item": id}`` (or ``"model": id`` where it is kept with
        a model) and what else the record should hold.
    """

    name: str
    summary: str
    title: Callable[[Library, str, dict], str]
    run: Callable[[Context], dict]
