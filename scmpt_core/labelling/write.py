"""Labels into the user's file, and the settings that made them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from scmpt_core import __version__
from scmpt_core.data import Dataset, annotate, write_h5ad
from scmpt_core.device import Device
from scmpt_core.labelling.edits import cluster_sizes
from scmpt_core.labelling.labels import COLUMNS, Labelling
from scmpt_core.labelling.make import Clustering


def write_labelled(dataset: Dataset, labelling: Labelling, record: dict, out: Path) -> list[str]:
    """Write the cells with labels already made; the names they were written under."""
    adata, written = annotate(dataset.adata, obs=labelling.columns(), uns={"scmpt": record})
    write_h5ad(adata, out)
    return written


def labelling_record(
    dataset: Dataset, name: str, trained: dict, labelling: Labelling, clustering: Clustering,
    device: Device,
) -> dict:  # fmt: skip
    """All settings of a labelling, for ``uns["scmpt"]``.

    Parameters
    ----------
    name, trained
        Of the model: its name, and its record.
    """
    decision = labelling.decision
    return dataset_record(dataset, device) | {
        "verb": "classify",
        "model": name,
        "classes": np.array(labelling.prediction.classes),
        "trained_on": f"{trained['dataset']}, label {trained['label']}",
        "overlap": labelling.prediction.overlap,
        "probability": "calibrated: temperature on cells kept apart in training",
        "temperature": labelling.prediction.sureness.temperature,
        "rule": labelling.rule.to_json(),
        "threshold": decision.threshold,
        "error_reached": decision.reached,
        "clusters": labelling.clustered_by,
        "columns": dict(COLUMNS),
        # a file cannot hold every name as a key, and must repeat the run exactly
        "settings": json.dumps(settings_of(labelling, dataset.view.to_json(), clustering)),
    }


def settings_of(labelling: Labelling, view: dict, clustering: Clustering) -> dict:
    """What must be known, beside cells and model, to make these labels again, as JSON.

    ``clusters`` are the sizes of those that the edits name, so that they go to no others.
    """
    return {
        "view": view,
        "rule": labelling.rule.to_json(),
        "clustering": clustering.to_json(),
        "edits": labelling.edits,
        "terms": labelling.terms,
        "clusters": cluster_sizes(labelling),
    }


def labelled_summary(labelling: Labelling, model: str) -> dict:
    """What a labelling says in all."""
    probability = labelling.prediction.probability
    known = probability[np.isfinite(probability)]
    expected = labelling.decision.expected
    return {
        "cells": len(labelling.ids),
        "model": model,
        "labels": labelling.counts,
        "unknown": labelling.unknown_counts,
        "mean_probability": float(known.mean()) if len(known) else None,
        "rule": labelling.rule.to_json(),
        "threshold": labelling.decision.threshold,
        "error_reached": labelling.decision.reached,
        "expected": None if expected is None else expected._asdict(),
        "mean_set_size": float(labelling.sets.sum(axis=1).mean()) if len(labelling.ids) else None,
        "clusters": [v.to_json() for v in labelling.votes],
        "clustered_by": labelling.clustered_by,
        "ontology": labelling.ids_of_labels,
        "overlap": labelling.prediction.overlap,
        "shared_genes": labelling.prediction.shared_genes,
    }


def dataset_record(dataset: Dataset, device: Device) -> dict:
    """How the cells were read, and on what."""
    return {
        "version": __version__,
        "matrix": dataset.matrix,
        "values": dataset.values,
        "normalisation": dataset.usable().normalisation,
        "device": device.reason,
        "left_out": dataset.left_out,
    }
