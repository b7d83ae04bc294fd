"""Fusing embeddings: heads, training, the grid, and the fitted model."""

from scmpt_core.fusion.features import embed, fit_encoders, load_encoders, side_by_side
from scmpt_core.fusion.folder import check_folder, load, preview, save
from scmpt_core.fusion.heads import HEADS
from scmpt_core.fusion.model import (
    UNKNOWN,
    Prediction,
    ScMPT,
    Trained,
    assemble,
    model_name,
    train_head,
    train_model,
    training_windows,
)
from scmpt_core.fusion.overlap import MIN_OVERLAP
from scmpt_core.fusion.tasks import Task, make_task
from scmpt_core.fusion.training import predict_proba

__all__ = [
    "HEADS",
    "MIN_OVERLAP",
    "UNKNOWN",
    "Prediction",
    "ScMPT",
    "Task",
    "Trained",
    "assemble",
    "check_folder",
    "embed",
    "fit_encoders",
    "load",
    "load_encoders",
    "make_task",
    "model_name",
    "predict_proba",
    "preview",
    "save",
    "side_by_side",
    "train_head",
    "train_model",
    "training_windows",
]
