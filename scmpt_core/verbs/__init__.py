"""The verbs that the command line and the pages share: one call each, results as JSON objects."""

from scmpt_core.verbs.explain import ablate_file, ablation_lines, attribute_file, attribution_lines
from scmpt_core.verbs.files import check, embed_backed, embed_file, list_encoders, time_encoders
from scmpt_core.verbs.models import classify_file, forecast_task, robustness_file

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
    "list_encoders",
    "robustness_file",
    "time_encoders",
]
