"""Files from the model hub: listed first, then each fetched so that it can be continued.

``hf_hub_download`` of huggingface_hub 2 throws away what had arrived when it is cut off (its
temporary file has a new name at each call), so the bytes are read here, through its session:
plain HTTP, which the hub offers beside Xet and which knows byte ranges.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scmpt_core.encoders.weights.hashes import HubFile
from scmpt_core.encoders.weights.published import Download, by_hand
from scmpt_core.encoders.weights.transfer import ByteMeter
from scmpt_core.errors import MissingComponent

TRIES = 3  # that come no further
PAUSE = 1.0  # seconds before another try
TIMEOUT = 10.0  # seconds without an answer or a byte
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Listing:
    """The wanted files of one commit, the smallest first."""

    commit: str
    files: tuple[HubFile, ...]
    endpoint: str


def list_files(item: Download, endpoint: str | None = None) -> Listing:
    """Ask the hub for the commit and the wanted files.

    Parameters
    ----------
    endpoint
        Address of the hub; None for that of ``HF_ENDPOINT``, or huggingface.co.

    Raises
    ------
    MissingComponent
        No network, no such repository or revision, or needed files are not in it.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint)
    try:
        with _network(item):
            info = api.model_info(
                item.repository, revision=item.revision, files_metadata=True, timeout=TIMEOUT
            )
        there = {s.rfilename: s for s in info.siblings or ()}
        files = [_hub_file(there[name]) for name in item.wanted(there)]
    except (ValueError, KeyError, TypeError) as error:
        # a sign-in page of a network, say, or a mirror that leaves half of it out
        raise MissingComponent(
            f"{api.endpoint} does not answer as a model hub: {error!r}.", by_hand(item)
        ) from error
    _check_listing(item, info.sha, there)
    return Listing(info.sha, tuple(sorted(files, key=lambda f: f.size)), api.endpoint)


def fetch(item: Download, listing: Listing, file: HubFile, staged: Path, meter: ByteMeter) -> Path:
    """Bring ``file`` to the folder ``staged``; what of it is already there is not fetched again.

    Raises
    ------
    MissingComponent
        :data:`TRIES` times in a row the connection ended and came no further, or more bytes came
        than listed. What had arrived stays for the next call.
    """
    target = staged / file.name
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished, failures = partial(target), 0
    furthest = size_of(unfinished)  # without byte ranges a try may end before an earlier one
    while size_of(unfinished) < file.size or not unfinished.exists():
        problem = _try(item, listing, file, unfinished, meter)
        failures = 0 if size_of(unfinished) > furthest else failures + 1
        furthest = max(furthest, size_of(unfinished))
        if failures >= TRIES:
            raise problem
        time.sleep(PAUSE * failures)
    if size_of(unfinished) > file.size:
        meter.add(-size_of(unfinished))
        unfinished.unlink()
        raise MissingComponent(
            f"{file.name} of {item.name} is longer than the {file.size:,} bytes listed.",
            "It was thrown away. Run the same command again.",
        )
    os.replace(unfinished, target)
    return target


def partial(target: Path) -> Path:
    """Where a file lies until it is whole."""
    return target.with_name(f"{target.name}.part")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def _hub_file(sibling) -> HubFile:
    return HubFile(
        sibling.rfilename,
        int(sibling.size),
        sibling.lfs.sha256 if sibling.lfs else None,
        # the blob of a file in large file storage is a pointer to it
        None if sibling.lfs else sibling.blob_id,
    )


def _check_listing(item: Download, commit: str | None, there: dict) -> None:
    if commit is None or not COMMIT.fullmatch(commit):
        raise MissingComponent(
            f"The hub names {commit!r} as the commit of {item.repository}.", by_hand(item)
        )
    if COMMIT.fullmatch(item.revision) and commit != item.revision:
        raise MissingComponent(
            f"The hub answers with commit {commit} of {item.repository}, not {item.revision}.",
            by_hand(item),
        )
    if absent := item.absent(there):
        raise MissingComponent(
            f"{item.repository} lacks {', '.join(absent)} at {commit}.", by_hand(item)
        )


def _try(
    item: Download, listing: Listing, file: HubFile, unfinished: Path, meter: ByteMeter
) -> MissingComponent:
    """Read what comes; the answer is what to say should nothing have come, here and later."""
    try:
        with _network(item, size_of(unfinished)):
            _stream(item, listing, file, unfinished, meter)
    except MissingComponent as error:
        return error
    return MissingComponent(
        f"{file.name} of {item.name} ends after {size_of(unfinished):,} of the {file.size:,} bytes "
        "listed.",
        by_hand(item),
    )


def _stream(
    item: Download, listing: Listing, file: HubFile, unfinished: Path, meter: ByteMeter
) -> None:
    """Read on from where ``unfinished`` ends."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = hf_hub_url(item.repository, file.name, revision=listing.commit, endpoint=listing.endpoint)
    have = size_of(unfinished)
    # compressed, the byte ranges would be those of another stream
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={have}-"} if have else {}
    with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT) as response:
        hf_raise_for_status(response)
        goes_on = response.status_code == 206
        if have and not goes_on:  # a server without byte ranges starts at the beginning
            meter.add(-have)
        with unfinished.open("ab" if goes_on else "wb") as handle:
            for chunk in response.iter_bytes():
                handle.write(chunk)
                meter.add(len(chunk))
                if handle.tell() > file.size:
                    break


@contextmanager
def _network(item: Download, arrived: int = 0) -> Iterator[None]:
    # HTTPError is that of the hub's HTTP client, above its own errors and those of the connection
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled

    try:
        yield
    except (HTTPError, OfflineModeIsEnabled) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        again = "Run the same command again to continue. " if arrived else ""
        raise MissingComponent(
            f"{item.repository} could not be downloaded: {reason.rstrip('.')}.",
            again + by_hand(item),
        ) from error
