"""Read an official scGPT checkpoint folder: ``args.json``, ``vocab.json`` and the weights."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from scmpt_core.encoders.scgpt.model import ScGPT, ScGPTConfig
from scmpt_core.errors import MissingComponent

RECORD = "scmpt_download.json"  # what an installed folder says of its files
WEIGHT_FILES = ("model.safetensors", "best_model.safetensors", "best_model.pt")
SPECIAL_TOKENS = ("<pad>", "<cls>")
# Heads that upstream trains with and that an embedding does not use.
UNUSED = (
    "decoder.",
    "cls_decoder.",
    "mvc_decoder.",
    "grad_reverse_discriminator.",
    "flag_encoder.",
)


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: the model (float32, evaluation mode), its genes, its hash."""

    model: ScGPT
    vocabulary: dict[str, int]  # symbol or special token → id
    sha256: str  # of the weights as they were published


def load_checkpoint(folder: Path) -> Checkpoint:
    """Load ``folder`` strictly.

    Both namings of the attention weights are read: ``self_attn.Wqkv.*`` (flash-attention) and
    ``self_attn.in_proj_*`` (plain PyTorch) hold the same tensors. Pickled code is never run
    (``weights_only=True``).

    Raises
    ------
    MissingComponent
        A file is missing or damaged, or its tensors are not those of the shape in ``args.json``.
    """
    args = _read_json(folder / "args.json")
    vocabulary = _read_json(folder / "vocab.json")
    absent = [token for token in SPECIAL_TOKENS if token not in vocabulary]
    if absent:
        raise MissingComponent(
            f"{folder / 'vocab.json'} lacks {', '.join(absent)}.", _again(folder)
        )
    weights = weights_file(folder)
    state = _plain_names(read_tensors(weights))
    model = ScGPT(_config(args, vocabulary, folder))
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise MissingComponent(
            f"{weights} does not hold the tensors that args.json describes: {error}", _again(folder)
        ) from error
    return Checkpoint(model.float().eval(), vocabulary, published_sha256(weights))


def weights_file(folder: Path) -> Path:
    """The weights in ``folder``, safetensors first."""
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise MissingComponent(
        f"{folder} holds none of {', '.join(WEIGHT_FILES)}.", "Copy the checkpoint there."
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def published_sha256(weights: Path) -> str:
    """SHA-256 of the weights as published: of the file that ``weights`` was converted from.

    The record beside it is believed only while ``weights`` is the very file that it describes;
    otherwise the hash is that of ``weights`` itself.
    """
    found = file_sha256(weights)
    try:
        record = json.loads((weights.parent / RECORD).read_text(encoding="utf-8"))["conversion"]
        return record["source_sha256"] if record["sha256"] == found else found
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return found


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file; pickled code is not run.

    Raises
    ------
    MissingComponent
        It cannot be read.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise MissingComponent(f"{path} cannot be read: {error}", _again(path.parent)) from error


def _config(args: dict, vocabulary: dict[str, int], folder: Path) -> ScGPTConfig:
    try:
        return ScGPTConfig(
            vocabulary_size=max(vocabulary.values()) + 1,
            embsize=int(args["embsize"]),
            nlayers=int(args["nlayers"]),
            nheads=int(args["nheads"]),
            d_hid=int(args["d_hid"]),
            n_bins=int(args.get("n_bins", 51)),
            pad_value=float(args.get("pad_value", -2)),
            mask_value=float(args.get("mask_value", -1)),
            max_length=int(args.get("max_seq_len", 1200)),
        )
    except KeyError as error:
        raise MissingComponent(f"{folder / 'args.json'} lacks {error}.", _again(folder)) from error


def _plain_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    used = {k: v for k, v in state.items() if not k.startswith(UNUSED)}
    return {k.replace("self_attn.Wqkv.", "self_attn.in_proj_"): v for k, v in used.items()}


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingComponent(f"{path} is missing.", _again(path.parent)) from error
    except ValueError as error:
        raise MissingComponent(f"{path} is not JSON: {error}", _again(path.parent)) from error


def _again(folder: Path) -> str:
    return f"Copy args.json, vocab.json and the weights of one checkpoint into {folder}."
