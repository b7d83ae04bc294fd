"""Embeddings of one set of cells by several encoders, through the store."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_OPTIONS, Encoder, EncoderOptions, load_encoder
from scmpt_core.errors import SettingError
from scmpt_core.progress import Progress, part, silent


def load_encoders(
    names: Sequence[str], device: Device, options: EncoderOptions = DEFAULT_OPTIONS
) -> dict[str, Encoder]:
    """Load each encoder once; a fitted one comes unfitted.

    Raises
    ------
    SettingError
        None or one twice was named, or one that does not exist.
    MissingComponent
        One is not ready.
    """
    if not names or len(set(names)) != len(names):
        raise SettingError(
            f"Encoders named: {list(names)}.", "Name each encoder once, one at least."
        )
    return {name: load_encoder(name, device, options) for name in names}


def fit_encoders(
    encoders: dict[str, Encoder], cells: Cells, train: np.ndarray
) -> dict[str, Encoder]:
    """The same encoders, the fitted kinds fitted to the training cells.

    They are copies that share their networks with those given, which stay as they are.
    """
    return {
        name: copy.copy(e).fit(cells.take(train)) if e.info.fitted else e
        for name, e in encoders.items()
    }


def embed(
    encoders: dict[str, Encoder], cells: Cells, store: EmbeddingStore, progress: Progress = silent
) -> dict[str, np.ndarray]:
    """Name → (cells, dimension)."""
    out = {}
    for i, (name, encoder) in enumerate(encoders.items()):
        step = part(progress, i / len(encoders), (i + 1) / len(encoders))
        out[name] = store.get(encoder, cells, step)
    return out


def side_by_side(embeddings: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Concatenated in the order of ``names``, (cells, sum of dimensions)."""
    return np.concatenate([embeddings[name] for name in names], axis=1)
