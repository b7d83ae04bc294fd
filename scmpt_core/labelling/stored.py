"""A labelling on disk: arrays, and JSON beside them; no pickle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from scmpt_core.errors import ModelError
from scmpt_core.fusion import Prediction, Rule, Sureness
from scmpt_core.labelling.labels import Labelling

ARRAYS, META = "labelling.npz", "labelling.json"
FORMAT = 1


def save_labelling(labelling: Labelling, folder: Path) -> None:
    """Write into ``folder``; rule, edits and terms are kept by whoever changes them."""
    p = labelling.prediction
    arrays = {
        "ids": labelling.ids,
        "clusters": labelling.clusters,
        "proba": p.proba.astype(np.float32),
        "unread": p.unread,
        "far": p.far.astype(np.float32),
    }
    arrays |= {f"member:{name}": codes.astype(np.int16) for name, codes in p.members.items()}
    arrays |= {f"sureness:{name}": values for name, values in p.sureness.arrays().items()}
    np.savez_compressed(folder / ARRAYS, **arrays)
    meta = {
        "format": FORMAT,
        "classes": list(p.classes),
        "overlap": p.overlap,
        "shared_genes": p.shared_genes,
        "clustered_by": labelling.clustered_by,
        "ontology": labelling.ontology,
        "members": list(p.members),
    }
    (folder / META).write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")


def load_labelling(
    folder: Path,
    rule: Rule | None = None,
    edits: dict[str, str] | None = None,
    terms: dict[str, str] | None = None,
) -> Labelling:
    """Read what :func:`save_labelling` wrote, under a rule and with a person's edits and terms.

    Raises
    ------
    ModelError
        A file is missing or damaged, or of another format.
    """
    if not (folder / META).exists():
        raise ModelError(
            "These labels are in the form of an earlier version, without calibrated probabilities.",
            "Label the cells again; it is quick, because their embeddings are kept.",
        )
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS, allow_pickle=False) as stored:
            arrays = dict(stored)
        if meta["format"] != FORMAT:
            raise ValueError(f"format {meta['format']}, this version reads {FORMAT}")
        labelling = _from(meta, arrays)
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise ModelError(f"The labels are damaged: {error}", "Label the cells again.") from error
    return replace(labelling, rule=rule or Rule(), edits=edits or {}, terms=terms or {})


def _from(meta: dict, arrays: dict[str, np.ndarray]) -> Labelling:
    start = "sureness:"
    own = {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
    prediction = Prediction(
        classes=tuple(meta["classes"]),
        proba=arrays["proba"].astype(np.float64),
        unread=arrays["unread"],
        far=arrays["far"].astype(np.float64),
        members={name: arrays[f"member:{name}"] for name in meta["members"]},
        sureness=Sureness.restore(own),
        overlap=meta["overlap"],
        shared_genes=meta["shared_genes"],
    )
    return Labelling(
        arrays["ids"], prediction, arrays["clusters"], meta["clustered_by"], meta["ontology"]
    )
