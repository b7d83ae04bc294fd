"""Data in, plotly figure out; no Streamlit."""

from scmpt_core.plots.cells import PICTURE, CellMap, class_map, value_map
from scmpt_core.plots.figures import class_counts, histogram, learning_curves
from scmpt_core.plots.forecast import forecast
from scmpt_core.plots.gene import by_type, expressed_words, expression_by_type, expression_map
from scmpt_core.plots.matrices import class_scores, confusion, confusion_difference
from scmpt_core.plots.palette import class_styles, model_colour
from scmpt_core.plots.robustness import outcomes
from scmpt_core.plots.scores import scores, span
from scmpt_core.plots.sure import reliability_diagram, threshold_curve

__all__ = [
    "PICTURE",
    "CellMap",
    "by_type",
    "class_counts",
    "class_map",
    "class_scores",
    "class_styles",
    "confusion",
    "confusion_difference",
    "expressed_words",
    "expression_by_type",
    "expression_map",
    "forecast",
    "histogram",
    "learning_curves",
    "model_colour",
    "outcomes",
    "reliability_diagram",
    "scores",
    "span",
    "threshold_curve",
    "value_map",
]
