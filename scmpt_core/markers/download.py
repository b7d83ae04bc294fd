"""PanglaoDB, fetched once or copied from a file, and held to its published SHA-256."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scmpt_core.encoders.scgpt.checkpoint import file_sha256
from scmpt_core.encoders.weights import ByteMeter, check_room, only_one
from scmpt_core.encoders.weights.hashes import PUBLISHED
from scmpt_core.errors import MissingComponent
from scmpt_core.markers.panglaodb import FILE, NAME, SHA256, URL, by_hand, installed_file
from scmpt_core.progress import Progress

MOST_BYTES = 10_000_000  # the published file has 0.6 MB
TIMEOUT = 30.0  # seconds without an answer or a byte
# like a browser, which such sites may ask for; whether this one does has not been tried
AGENT = "Mozilla/5.0 (compatible; scmpt)"


def download_panglaodb(progress: Progress, source: Path | None = None, url: str = URL) -> dict:
    """Install the file under ``SCMPT_HOME``; what is there stays until the new one is checked.

    Parameters
    ----------
    source
        A file copied by hand, or a folder with the file under its published name; None to fetch.

    Returns
    -------
    Name, folder, where it is from, and the file's SHA-256 with what it was held to.

    Raises
    ------
    MissingComponent
        No network, no such file, no room, another file than was published, or another process at
        the same; nothing is installed then.
    """
    target = installed_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{FILE}.part")
    with only_one(target.parent.parent, NAME):
        check_room(target.parent, MOST_BYTES, NAME)
        try:
            if source is None:
                _fetch(url, part, progress)
            else:
                _copy(source, part)
            _check(part)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    progress(1.0, f"{NAME}: installed")
    return {
        "name": NAME,
        "folder": str(target.parent),
        "from": str(source or url),
        "files": {FILE: {"sha256": SHA256, "check": PUBLISHED}},
    }


def _copy(source: Path, part: Path) -> None:
    path = source / FILE if source.is_dir() else source
    if not path.is_file():
        raise MissingComponent(f"{path} is not a file.", by_hand())
    shutil.copyfile(path, part)


def _fetch(url: str, part: Path, progress: Progress) -> None:
    # through the session of huggingface_hub, whose HTTP client the other downloads use too
    from huggingface_hub.errors import HTTPError
    from huggingface_hub.utils import get_session

    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    progress(0.0, f"{NAME}: asking {url}")
    try:
        with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT) as response:
            response.raise_for_status()
            meter = ByteMeter(progress, int(response.headers.get("Content-Length", 0)), NAME)
            with part.open("wb") as handle:
                # raw: a server that calls the file an encoding of its own must not unpack it
                for chunk in response.iter_raw():
                    handle.write(chunk)
                    meter.add(len(chunk))
                    if handle.tell() > MOST_BYTES:
                        raise MissingComponent(
                            f"{url} sends more than {MOST_BYTES:,} bytes; the published file has "
                            "fewer.",
                            by_hand(),
                        )
    except HTTPError as error:
        reason = " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
        raise MissingComponent(f"{url} could not be downloaded: {reason}.", by_hand()) from error


def _check(part: Path) -> None:
    if (found := file_sha256(part)) != SHA256:
        raise MissingComponent(
            f"{FILE} has SHA-256 {found}, not {SHA256} as published.",
            "It was not installed. Run the same command again, or get the file anew; another "
            "version can be used by naming it, or setting SCMPT_PANGLAODB_FILE to it.",
        )
