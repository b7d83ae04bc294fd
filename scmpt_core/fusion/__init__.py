"""Fusing embeddings: heads, training, how sure a model is, and the fitted model."""

from scmpt_core.fusion.decide import (
    DISAGREE,
    FAR,
    NAMED,
    NO_GENE,
    REASONS,
    UNDECIDED,
    UNKNOWN,
    Decision,
    Rule,
    decide,
    threshold_of,
)
from scmpt_core.fusion.features import embed, fit_encoders, load_encoders, side_by_side
from scmpt_core.fusion.folder import check_folder, load, options_of, preview, read_config, save
from scmpt_core.fusion.heads import HEADS, get_head
from scmpt_core.fusion.model import (
    Prediction,
    ScMPT,
    Trained,
    assemble,
    fit_unknown,
    train_head,
    train_model,
    training_windows,
)
from scmpt_core.fusion.overlap import MIN_OVERLAP
from scmpt_core.fusion.plan import PAPER, RECOMMENDED, ModelSpec, planned, recommended
from scmpt_core.fusion.reference import (
    REFERENCES,
    Reference,
    model_folder,
    open_model,
    reference_folder,
)
from scmpt_core.fusion.sureness import Sureness
from scmpt_core.fusion.tasks import Task, make_task
from scmpt_core.fusion.training import predict_logits, predict_proba

__all__ = [
    "DISAGREE",
    "FAR",
    "HEADS",
    "MIN_OVERLAP",
    "NAMED",
    "NO_GENE",
    "PAPER",
    "REASONS",
    "RECOMMENDED",
    "REFERENCES",
    "UNDECIDED",
    "UNKNOWN",
    "Decision",
    "ModelSpec",
    "Prediction",
    "Reference",
    "Rule",
    "ScMPT",
    "Sureness",
    "Task",
    "Trained",
    "assemble",
    "check_folder",
    "decide",
    "embed",
    "fit_encoders",
    "fit_unknown",
    "get_head",
    "load",
    "load_encoders",
    "make_task",
    "model_folder",
    "open_model",
    "options_of",
    "planned",
    "predict_logits",
    "predict_proba",
    "preview",
    "read_config",
    "recommended",
    "reference_folder",
    "save",
    "side_by_side",
    "threshold_of",
    "train_head",
    "train_model",
    "training_windows",
]
