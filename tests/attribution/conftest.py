"""A model trained on toy cells whose types have three planted markers each."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scmpt_core.attribution import Subject, ways_of
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.evaluation import Plan
from scmpt_core.fusion import ModelSpec, make_task, train_model
from tests.conftest import toy
from tests.helpers import dataset_of

ENCODERS = ("minilm", "scgpt-mini", "pca")


class Trained:
    """The model, and what it was trained on."""

    def __init__(self, folder, labels=None) -> None:
        self.device, self.store = choose_device(), EmbeddingStore(folder / "embeddings")
        adata = toy()
        if labels is not None:
            adata.obs["cell_type"] = labels(adata.obs["cell_type"].to_numpy())
        self.dataset = dataset_of(adata)
        self.task = make_task(self.dataset, "cell_type")
        budget = Plan.of(ENCODERS, "quick", None, None, 1).budget
        self.model = train_model(
            self.task, ModelSpec(ENCODERS, "stacking"), budget, 0, self.store, self.device, "toy"
        )
        # On cells this easy stacking leaves all to one encoder; then no test would see a fusion.
        with torch.no_grad():
            self.model.head.weights.copy_(torch.tensor([0.3, 0.5, 0.4]))

    def subject(self, row: int, ways=None) -> Subject:
        cell = self.task.cells.take(np.array([row]))
        return Subject(cell, self.model.encoders, ways or ways_of(self.model), self.device)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """On float32: the paths of integrated gradients are held to the encoders exactly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_DTYPE", "float32")
        return Trained(tmp_path_factory.mktemp("attribution"))


@pytest.fixture(scope="session")
def shuffled(tmp_path_factory):
    """The same cells with their labels shuffled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_DTYPE", "float32")
        rng = np.random.default_rng(0)
        return Trained(tmp_path_factory.mktemp("shuffled"), rng.permutation)
