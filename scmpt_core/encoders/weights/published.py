"""The weights that do not ship: where they are published, which files, and their hashes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Download:
    """Where published weights are, which of their files are wanted, and what these must be."""

    name: str
    repository: str  # on the model hub
    revision: str
    needed: tuple[str, ...]  # "a|b": either
    variable: str  # of the environment: names a folder to use as it is
    optional: tuple[str, ...] = ()  # taken where they are there
    sha256: dict[str, str] = field(default_factory=dict)  # published hashes, file → hash
    pickled: str | None = None  # a PyTorch file that becomes model.safetensors once

    def wanted(self, there: Collection[str]) -> list[str]:
        """Those of the files ``there`` that are to be installed, and no duplicates of them."""
        named = [name for names in self.needed for name in names.split("|")]
        return [name for name in dict.fromkeys((*named, *self.optional)) if name in there]

    def absent(self, there: Collection[str]) -> list[str]:
        """The needed files that are not among the files ``there``."""
        missing = (names for names in self.needed if not set(names.split("|")) & set(there))
        return [names.replace("|", " or ") for names in missing]


DOWNLOADS = [
    # Only the hashes of the three files are known, no commit: "main" is asked for, and what it
    # gives is accepted with these hashes alone. The commit that the hub names is recorded.
    Download(
        "scgpt-human", "u-cellm/scGPT-whole-human", "main",
        ("args.json", "vocab.json", "best_model.pt"), "SCMPT_SCGPT_HUMAN_FOLDER",
        sha256={
            "args.json": "c18e075e018140cb8b2d9029387b9de26607a5ce6a8ccabd6ead70cd76b95d60",
            "vocab.json": "acca93d114ca62c3f0f50debbd23e8c87f0714f4737764454f6b2b13f2e8580f",
            "best_model.pt": "6cb5d451ab5c4b33eb673adbe4fddc61d2389df1b89b7651a9fe2e557572b922",
        },
        pickled="best_model.pt",
    ),
    # The commit is known and no hash of a file: those of the first download are recorded.
    # Files by name, since "*.json" would fetch those of other formats too (onnx/, openvino/).
    Download(
        "ember-v1", "llmrails/ember-v1", "5e5ce5904901f6ce1c353a95020f17f09e5d021d",
        ("modules.json", "config.json", "tokenizer.json|vocab.txt", "1_Pooling/config.json",
         "model.safetensors"), "SCMPT_EMBER_FOLDER",
        ("config_sentence_transformers.json", "sentence_bert_config.json",
         "special_tokens_map.json", "tokenizer_config.json"),
    ),
]  # fmt: skip


def by_hand(item: Download) -> str:
    """How to install ``item`` on a machine without network, as an instruction."""
    files = ", ".join(names.replace("|", " or ") for names in item.needed)
    files += f" (and {', '.join(item.optional)}, where they are there)" if item.optional else ""
    return (
        f"Without network: on a machine that has it, download {files} from "
        f"https://huggingface.co/{item.repository}/tree/{item.revision}, copy the folder here, and "
        f"run `python -m scmpt_core download {item.name} --from FOLDER`, or set {item.variable} "
        "to the folder."
    )
