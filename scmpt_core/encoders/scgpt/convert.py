"""A pickled state dict becomes safetensors, once: afterwards nothing is unpickled any more."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from scmpt_core.encoders.scgpt.checkpoint import file_sha256, read_tensors
from scmpt_core.errors import MissingComponent


def convert(source: Path, target: Path) -> dict:
    """Write the tensors of ``source`` to ``target``: all of them, names and numbers unchanged.

    Heads that an embedding does not use are kept, and so is either naming of the attention
    weights; both are dealt with where the model is loaded.

    Returns
    -------
    Names and SHA-256 of both files, the number of tensors, and the entries left out because they
    are no tensors.

    Raises
    ------
    MissingComponent
        ``source`` cannot be read without running code, or holds no tensors.
    """
    state = read_tensors(source)
    items = state.items() if isinstance(state, dict) else ()
    # A copy of each: safetensors takes neither shared memory nor strides.
    tensors = {
        name: value.detach().clone(memory_format=torch.contiguous_format)
        for name, value in items
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not tensors:
        raise MissingComponent(
            f"{source.name} holds no tensors by name.", "Get the file that was published."
        )
    left_out = sorted(str(name) for name, _ in items if name not in tensors)
    temporary = target.with_name(f"{target.name}.part")
    save_file(tensors, temporary, metadata={"format": "pt"})
    _check_equal(tensors, temporary)
    os.replace(temporary, target)
    return {
        "source": source.name,
        "source_sha256": file_sha256(source),
        "file": target.name,
        "sha256": file_sha256(target),
        "tensors": len(tensors),
        "left_out": left_out,
    }


def _check_equal(tensors: dict[str, Tensor], path: Path) -> None:
    written = load_file(path)
    differing = [
        name
        for name, value in tensors.items()
        if written[name].dtype != value.dtype
        or written[name].shape != value.shape
        or not torch.equal(_bytes(written[name]), _bytes(value))
    ]
    if differing:
        raise MissingComponent(
            f"{path} does not hold what was written to it: {', '.join(differing[:3])}.",
            "Check the disk, and run the same command again.",
        )


def _bytes(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1).view(torch.uint8)
