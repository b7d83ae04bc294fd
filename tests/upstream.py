"""Upstream's own code, to be held against: ``scgpt`` 0.2.4 with its broken imports stubbed.

The package does not import on a current stack (torchtext's binary, ``datasets``, an undeclared
IPython). What parity needs of it does not use any of those: the packages around it are replaced
by bare modules, and its files ``preprocess``, ``data_collator``, ``model.model`` and
``tasks.cell_emb`` run unchanged.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import types
import warnings
from functools import lru_cache
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import torch

from scmpt_core.data.genes import package_file

HUMAN = {
    "embsize": 512, "nlayers": 12, "nheads": 8, "d_hid": 512, "n_bins": 51, "max_seq_len": 1200,
    "pad_value": -2, "mask_value": -1, "pad_token": "<pad>", "dropout": 0.2, "n_layers_cls": 3,
}  # fmt: skip
SMALL = HUMAN | {"embsize": 64, "nlayers": 3, "nheads": 4, "d_hid": 96}
SPECIAL = ("<pad>", "<cls>", "<eoc>")


def _bare(name: str, folder: Path | None = None, **names: object) -> ModuleType:
    module = types.ModuleType(name)
    if folder is not None:
        module.__path__ = [str(folder)]  # a package whose __init__ is not run
    module.__dict__.update(names)
    return module


@lru_cache
def upstream() -> SimpleNamespace:
    """``TransformerModel``, ``DataCollator``, ``binning``, ``get_batch_cell_embeddings``."""
    root = package_file("scgpt", ".")
    bare = {
        "scgpt": _bare("scgpt", root, logger=logging.getLogger("scgpt.reference")),
        "scgpt.model": _bare("scgpt.model", root / "model"),
        "scgpt.tasks": _bare("scgpt.tasks", root / "tasks"),
        "scgpt.tokenizer": _bare("scgpt.tokenizer", GeneVocab=dict),
        "scgpt.utils": _bare("scgpt.utils", load_pretrained=None),
    }
    before = {name: sys.modules.get(name) for name in bare}
    sys.modules.update(bare)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # flash_attn is not installed
            model = importlib.import_module("scgpt.model.model")
            bare["scgpt.model"].TransformerModel = model.TransformerModel
            found = SimpleNamespace(
                TransformerModel=model.TransformerModel,
                DataCollator=importlib.import_module("scgpt.data_collator").DataCollator,
                binning=importlib.import_module("scgpt.preprocess").binning,
                embed=importlib.import_module("scgpt.tasks.cell_emb").get_batch_cell_embeddings,
            )
    finally:
        for name in [n for n in sys.modules if n == "scgpt" or n.startswith("scgpt.")]:
            del sys.modules[name]
        sys.modules.update({k: v for k, v in before.items() if v is not None})
    return found


def census_vocabulary() -> dict[str, int]:
    """The whole-human checkpoint's: 60,694 symbols, then ``<pad>``, ``<cls>``, ``<eoc>``."""
    file = package_file("scgpt", "tokenizer/default_census_vocab.json")
    vocabulary = json.loads(file.read_text(encoding="utf-8"))
    return vocabulary | {
        token: len(vocabulary) + i for i, token in enumerate(SPECIAL) if token not in vocabulary
    }


def reference_model(args: dict, vocabulary: dict[str, int], seed: int = 0) -> torch.nn.Module:
    """Upstream's model with random weights, as ``embed_data`` builds it."""
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = upstream().TransformerModel(
            ntoken=len(vocabulary), d_model=args["embsize"], nhead=args["nheads"],
            d_hid=args["d_hid"], nlayers=args["nlayers"], nlayers_cls=args["n_layers_cls"],
            n_cls=1, vocab=vocabulary, dropout=args["dropout"], pad_token=args["pad_token"],
            pad_value=args["pad_value"], do_mvc=True, use_fast_transformer=False,
        )  # fmt: skip
    for name, weight in model.named_parameters():
        if name.endswith(("norm1.weight", "norm2.weight", "norm.weight", "bias")):
            # a fresh LayerNorm is the identity and a fresh bias 0: a swap of two would not show
            torch.nn.init.normal_(weight, mean=float("norm" in name and "weight" in name), std=0.1)
    return model.eval()


def save_official(
    model: torch.nn.Module, args: dict, vocabulary: dict[str, int], folder: Path, flash: bool
) -> Path:
    """Write the three files of an official checkpoint; ``flash`` names attention ``Wqkv``."""
    folder.mkdir(parents=True, exist_ok=True)
    state = model.state_dict()
    if flash:
        state = {k.replace("self_attn.in_proj_", "self_attn.Wqkv."): v for k, v in state.items()}
    torch.save(state, folder / "best_model.pt")
    (folder / "args.json").write_text(json.dumps(args))
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    return folder


def embed(model: torch.nn.Module, counts: np.ndarray, gene_ids, vocabulary, args) -> np.ndarray:
    """Upstream's ``get_batch_cell_embeddings`` on dense (cells, genes) values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # autocast and pinned memory without CUDA
        return upstream().embed(
            SimpleNamespace(X=counts), model=model, vocab=vocabulary, model_configs=args,
            max_length=args["max_seq_len"], gene_ids=np.asarray(gene_ids),
        )  # fmt: skip
