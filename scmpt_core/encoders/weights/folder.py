"""Files from a folder that was copied by hand."""

from __future__ import annotations

from pathlib import Path

from scmpt_core.encoders.weights.published import Download
from scmpt_core.encoders.weights.transfer import ByteMeter
from scmpt_core.errors import MissingComponent
from scmpt_core.progress import Progress

PIECE = 8 << 20  # bytes between two reports


def find_files(item: Download, source: Path) -> dict[str, Path]:
    """The wanted files of ``source`` by name.

    Raises
    ------
    MissingComponent
        It is no folder, a needed file is not in it, or is a link that leaves it.
    """
    if not source.is_dir():
        raise MissingComponent(f"{source} is not a folder.", "Name the folder of the model.")
    root, candidates = source.resolve(), (*item.needed, *item.optional)
    names = [name for either in candidates for name in either.split("|")]
    there = {name: (root / name).resolve() for name in names if (root / name).is_file()}
    leaving = [name for name, path in there.items() if not path.is_relative_to(root)]
    if leaving:
        raise MissingComponent(
            f"In {source}, {', '.join(leaving)}: links that lead out of the folder.",
            "Copy the folder with what its links lead to (`cp -rL`), and name the copy.",
        )
    if absent := item.absent(there):
        raise MissingComponent(
            f"{source} lacks {', '.join(absent)} of {item.name}.",
            f"Copy it from https://huggingface.co/{item.repository}/tree/{item.revision}.",
        )
    return {name: there[name] for name in item.wanted(there)}


def copy_folder(item: Download, files: dict[str, Path], staged: Path, progress: Progress) -> None:
    """Copy the files that :func:`find_files` found into ``staged``."""
    total = sum(path.stat().st_size for path in files.values())
    meter = ByteMeter(progress, total, f"copying {item.name}")
    for name, path in files.items():
        target = staged / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as reader, target.open("wb") as writer:
            while piece := reader.read(PIECE):
                writer.write(piece)
                meter.add(len(piece))
