"""Which genes carried a prediction: of encoder and head together, to the logit of a type."""

from scmpt_core.attribution.agreement import jaccard, rank_biased_overlap
from scmpt_core.attribution.base import SCGPT_PATHS, TEXT_BASELINES, MethodInfo, Options
from scmpt_core.attribution.explained import Explained, explain_cells
from scmpt_core.attribution.methods import METHODS, get_method
from scmpt_core.attribution.result import (
    Attribution,
    Source,
    TypeScores,
    load_attribution,
    save_attribution,
)
from scmpt_core.attribution.run import Request, attribute, predicted_types
from scmpt_core.attribution.subject import Subject
from scmpt_core.fusion.ways import Way, ways_of

__all__ = [
    "METHODS",
    "SCGPT_PATHS",
    "TEXT_BASELINES",
    "Attribution",
    "Explained",
    "MethodInfo",
    "Options",
    "Request",
    "Source",
    "Subject",
    "TypeScores",
    "Way",
    "attribute",
    "explain_cells",
    "get_method",
    "jaccard",
    "load_attribution",
    "predicted_types",
    "rank_biased_overlap",
    "save_attribution",
    "ways_of",
]
