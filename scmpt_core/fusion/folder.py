"""A fitted model as a folder: safetensors and readable JSON, loaded strictly, no pickle."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.encoders import DEFAULT_OPTIONS, Encoder, EncoderOptions, PCAEncoder
from scmpt_core.errors import FileRefused, ModelError
from scmpt_core.fusion.features import load_encoders
from scmpt_core.fusion.heads import Head, get_head
from scmpt_core.fusion.model import ScMPT, require
from scmpt_core.fusion.overlap import limits_of, overlaps
from scmpt_core.fusion.own import own_cells
from scmpt_core.fusion.sureness import Sureness
from scmpt_core.unknown import UnknownDetector

FORMAT = 2
FILES = ("config.json", "genes.json", "splits.json", "model.safetensors")
BESIDE = ("robustness.json",)  # made of a model later; goes with it when it is replaced
RETRAIN = "Train the model again with `python -m scmpt_core train`."


def check_folder(folder: Path) -> None:
    """Refuse to write a model over anything that is not one.

    Raises
    ------
    FileRefused
        A file stands there, or a folder with other contents, or the parent is missing.
    """
    if not folder.absolute().parent.is_dir():
        raise FileRefused(f"The folder {folder.parent} does not exist.", "Make it first.")
    if folder.exists() and not folder.is_dir():
        raise FileRefused(f"{folder} is a file.", "Name a folder for the model with -o.")
    if folder.exists() and {p.name for p in folder.iterdir()} - {*FILES, *BESIDE}:
        raise FileRefused(f"{folder} holds other files.", "Name a new folder for the model.")


def save(model: ScMPT, folder: Path) -> None:
    """Write beside the target and rename, so that a model there is always complete."""
    check_folder(folder)
    folder = folder.absolute()
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".scmpt-") as temporary:
        staged = Path(temporary) / "model"
        staged.mkdir()
        config = {
            "format": FORMAT,
            "name": model.name,
            "head": model.head_name,
            "classes": model.classes,
            "unknown": model.unknown.meta(),
            "encoders": [encoder.identity() for encoder in model.encoders.values()],
            **model.record,
        }
        _write(staged / "config.json", config, indent=1)
        windows = {name: np.round(w, 9).tolist() for name, w in model.windows.items()}
        _write(staged / "genes.json", {"genes": model.genes.tolist(), "windows": windows})
        _write(staged / "splits.json", model.splits)
        save_file(_tensors(model), staged / "model.safetensors")
        (staged / "model.safetensors").chmod(0o644)  # as readable as the rest
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(staged, folder)


def load(folder: Path, device: Device) -> ScMPT:
    """Load a model; it predicts what it predicted when saved.

    Raises
    ------
    ModelError
        A file is missing or damaged, the format is newer, or an encoder's weights differ from
        those it was trained with.
    """
    for file in FILES:
        require((folder / file).is_file(), f"{folder} lacks {file}; it is not a model.", RETRAIN)
    config = read_config(folder)
    genes, splits = (_read(folder / file) for file in FILES[1:3])
    try:
        tensors = load_file(folder / "model.safetensors")
        names = [identity["encoder"] for identity in config["encoders"]]
        encoders = load_encoders(names, device, options_of(config["encoders"]))
        symbols = np.array(genes["genes"], dtype=str)
        for name, encoder in encoders.items():
            if encoder.info.fitted:
                encoder.restore(symbols, _arrays(tensors, f"{name}."))
        pca = next((e for e in encoders.values() if isinstance(e, PCAEncoder)), None)
        head = _head(tensors, config["head"], encoders, len(config["classes"]))
        windows = {n: np.array(genes["windows"][n]) for n in names}
        sureness = Sureness.restore(_arrays(tensors, "sureness."))
        unknown = UnknownDetector.restore(
            config["unknown"], _arrays(tensors, "unknown."), symbols, pca
        )
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder} is damaged: {error}", RETRAIN) from error
    for identity, encoder in zip(config["encoders"], encoders.values(), strict=True):
        _same(identity, encoder.identity())
    known = {"format", "name", "head", "classes", "encoders", "unknown"}
    record = {k: v for k, v in config.items() if k not in known}
    return ScMPT(
        encoders, head, config["head"], tuple(config["classes"]), symbols, windows, sureness,
        unknown, record, {part: _marks(known) for part, known in splits.items()},
    )  # fmt: skip


def read_config(folder: Path) -> dict:
    """What there is to read about a model, without its arrays.

    Raises
    ------
    ModelError
        It is missing or damaged, or of another format.
    """
    require((folder / FILES[0]).is_file(), f"{folder} lacks {FILES[0]}.", RETRAIN)
    config = _read(folder / FILES[0])
    require(
        config.get("format") == FORMAT,
        f"{folder} has format {config.get('format')}; this version reads {FORMAT}.",
        RETRAIN,
    )
    return config


@dataclass(frozen=True)
class Fit:
    """How cells fit a saved model.

    Parameters
    ----------
    overlap
        Encoder → share of its training window that the cells measure.
    shared_genes
        Genes that both know.
    limits
        Encoder → the least overlap at which the model is used.
    seen
        Cells that the model was trained on.
    """

    overlap: dict[str, float]
    limits: dict[str, float]
    shared_genes: int
    seen: int

    @property
    def lacking(self) -> list[str]:
        """Encoders that would read too little."""
        return [name for name, share in self.overlap.items() if share < self.limits[name]]


def preview(folder: Path, cells: Cells) -> Fit:
    """How ``cells`` fit the model in ``folder``.

    Loads no weights, so it is quick; :meth:`ScMPT.predict` judges the overlap again.
    """
    config = read_config(folder)
    for file in ("genes.json", "splits.json"):
        require((folder / file).is_file(), f"{folder} lacks {file}.", RETRAIN)
    kept = _read(folder / "genes.json")
    trained = _marks(_read(folder / "splits.json").get("train", {}))
    windows = {name: np.array(window) for name, window in kept["windows"].items()}
    genes = np.array(kept["genes"], dtype=str)
    seen = int(own_cells(cells, genes, trained).sum())
    shared = int(np.isin(genes, cells.genes).sum())
    overlap = overlaps(windows, genes, cells.genes)
    limits = limits_of(config)
    return Fit(overlap, {name: limits[name] for name in overlap}, shared, seen)


def options_of(identities: list[dict]) -> EncoderOptions:
    """Encoders read new cells as they read the training cells."""
    chosen = DEFAULT_OPTIONS  # one choice holds for all encoders of a model
    for identity in identities:
        if "long_cells" in identity:
            chosen = replace(chosen, long_cells=identity["long_cells"])
        if isinstance(sentence := identity.get("sentence"), dict):  # else plain
            chosen = replace(chosen, sentence=sentence["format"], prefix=sentence.get("prefix", ""))
    return chosen


def _same(trained: dict, here: dict) -> None:
    """All but the number format must agree: bfloat16 and float32 differ by less than 1e-3."""
    for key, value in trained.items():
        require(
            key == "dtype" or here.get(key) == value,
            f"The encoder {trained['encoder']} differs from the one trained with: {key} is "
            f"{here.get(key)!r}, was {value!r}.",
            "Install the weights used in training, or train again.",
        )


def _head(
    tensors: dict[str, torch.Tensor], name: str, encoders: dict[str, Encoder], classes: int
) -> Head:
    state = {k[5:]: v for k, v in tensors.items() if k.startswith("head.")}
    blocks = tuple(encoder.info.dimension for encoder in encoders.values())
    head = get_head(name).make(blocks, classes)
    head.load_state_dict(state, strict=True)
    return head.eval()


def _arrays(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v.numpy() for k, v in tensors.items() if k.startswith(prefix)}


def _tensors(model: ScMPT) -> dict[str, torch.Tensor]:
    out = {f"head.{k}": v.cpu().contiguous() for k, v in model.head.state_dict().items()}
    parts = {"sureness.": model.sureness.arrays(), "unknown.": model.unknown.state()}
    for name, encoder in model.encoders.items():
        if encoder.info.fitted:
            parts[f"{name}."] = encoder.state()
    for prefix, arrays in parts.items():
        for key, values in arrays.items():
            out[prefix + key] = torch.from_numpy(np.ascontiguousarray(values))
    return out


def _marks(known: dict[str, str] | list[str]) -> dict[str, str]:
    """Of a part; an earlier version kept names alone, by which no cell is known again."""
    return dict(known) if isinstance(known, dict) else dict.fromkeys(known, "")


def _write(path: Path, value: object, indent: int | None = None) -> None:
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False), encoding="utf-8")


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is damaged: {error}", RETRAIN) from error
