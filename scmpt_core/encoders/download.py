"""Weights that do not ship: fetched once from the model hub, or copied from a folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scmpt_core.encoders.scgpt.checkpoint import file_sha256
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.progress import Progress
from scmpt_core.settings import get_settings


@dataclass(frozen=True)
class Download:
    """Where published weights are, and the hashes their files must have (where known)."""

    name: str
    repository: str
    revision: str
    patterns: tuple[str, ...]
    sha256: dict[str, str]


DOWNLOADS = [
    Download(
        "scgpt-human", "u-cellm/scGPT-whole-human", "main",
        ("args.json", "vocab.json", "best_model.pt"),
        {
            "args.json": "c18e075e018140cb8b2d9029387b9de26607a5ce6a8ccabd6ead70cd76b95d60",
            "vocab.json": "acca93d114ca62c3f0f50debbd23e8c87f0714f4737764454f6b2b13f2e8580f",
            "best_model.pt": "6cb5d451ab5c4b33eb673adbe4fddc61d2389df1b89b7651a9fe2e557572b922",
        },
    ),
    Download(
        "ember-v1", "llmrails/ember-v1", "5e5ce5904901f6ce1c353a95020f17f09e5d021d",
        ("*.json", "*.txt", "*.safetensors", "1_Pooling/*"), {},
    ),
]  # fmt: skip


def download(name: str, progress: Progress, source: Path | None = None) -> dict:
    """Install ``name`` under ``SCMPT_HOME``, from the hub or from the folder ``source``.

    Returns
    -------
    Name, folder, and the SHA-256 of each file with whether it was held against a known one.

    Raises
    ------
    SettingError
        Nothing of that name can be downloaded.
    MissingComponent
        No network, no such repository, or a file with another hash; nothing is installed then.
    """
    item = next((d for d in DOWNLOADS if d.name == name), None)
    if item is None:
        known = ", ".join(d.name for d in DOWNLOADS)
        raise SettingError(f"{name!r} cannot be downloaded; these can: {known}.", "Name one.")
    target = get_settings().models / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        staged = Path(folder) / name
        progress(0.0, f"{name}: fetching")
        _copy(item, source, staged) if source else _fetch(item, staged)
        progress(0.8, f"{name}: checking")
        files = _verify(item, staged)
        (staged / "scmpt_download.json").write_text(json.dumps(files, indent=1))
        if target.exists():
            shutil.rmtree(target)
        os.replace(staged, target)
    progress(1.0, f"{name}: installed")
    return {"name": name, "folder": str(target), "files": files}


def _fetch(item: Download, staged: Path) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot_download(
            item.repository, revision=item.revision, local_dir=staged,
            allow_patterns=list(item.patterns),
        )  # fmt: skip
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise MissingComponent(
            f"{item.repository} could not be downloaded: {str(error).splitlines()[0]}",
            f"On a machine with network, download it and copy the folder here, then run "
            f"`python -m scmpt_core download {item.name} --from FOLDER`.",
        ) from error


def _copy(item: Download, source: Path, staged: Path) -> None:
    if not source.is_dir():
        raise MissingComponent(f"{source} is not a folder.", "Name the folder of the model.")
    staged.mkdir()
    for pattern in item.patterns:
        for file in source.glob(pattern):
            (staged / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            if file.is_file():
                shutil.copyfile(file, staged / file.relative_to(source))


def _verify(item: Download, staged: Path) -> dict[str, dict]:
    absent = [f for f in item.sha256 if not (staged / f).is_file()]
    if absent or not any(staged.iterdir()):
        raise MissingComponent(
            f"{item.name} lacks {', '.join(absent) or 'all files'}.", "Copy the whole model."
        )
    files = {}
    for file in sorted(p for p in staged.rglob("*") if p.is_file() and ".cache" not in p.parts):
        name, found = str(file.relative_to(staged)), file_sha256(file)
        wanted = item.sha256.get(name)
        if wanted not in (None, found):
            raise MissingComponent(
                f"{name} of {item.name} has SHA-256 {found}, not {wanted}.", "Download it again."
            )
        files[name] = {"sha256": found, "held_against_known": wanted is not None}
    return files
