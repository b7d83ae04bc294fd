"""The verbs that the command line and the pages share: one call each, results as JSON objects."""

from scmpt_core.verbs.explain import ablate_file, ablation_lines, attribute_file, label_of
from scmpt_core.verbs.files import check, embed_backed, embed_file, list_encoders, time_encoders
from scmpt_core.verbs.models import classify_file, forecast_task, robustness_file
from scmpt_core.verbs.told import attribution_lines

__all__ = [
    "ablate_file",
    "ablation_lines",
    "attribute_file",
    "attribution_lines",
    "check",
    "classify_file",
    "embed_backed",
    "embed_file",
    "forecast_task",
    "label_of",
    "list_encoders",
    "robustness_file",
    "time_encoders",
]
