"""Fusing embeddings: heads, training, the grid, and the fitted model."""

from scmpt_core.fusion.features import embed, fit_encoders, load_encoders
from scmpt_core.fusion.folder import check_folder, load, save
from scmpt_core.fusion.heads import HEADS
from scmpt_core.fusion.model import (
    UNKNOWN,
    Prediction,
    ScMPT,
    Trained,
    model_name,
    train_head,
    train_model,
)
from scmpt_core.fusion.overlap import MIN_OVERLAP
from scmpt_core.fusion.tasks import Task, make_task

__all__ = [
    "HEADS",
    "MIN_OVERLAP",
    "UNKNOWN",
    "Prediction",
    "ScMPT",
    "Task",
    "Trained",
    "check_folder",
    "embed",
    "fit_encoders",
    "load",
    "load_encoders",
    "make_task",
    "model_name",
    "save",
    "train_head",
    "train_model",
]
