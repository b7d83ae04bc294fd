"""Data in, plotly figure out; no Streamlit."""

from scmpt_core.plots.cells import PICTURE, CellMap, class_map, value_map
from scmpt_core.plots.figures import class_counts, confusion, histogram, learning_curves, scores
from scmpt_core.plots.palette import class_styles, model_colour

__all__ = [
    "PICTURE",
    "CellMap",
    "class_counts",
    "class_map",
    "class_styles",
    "confusion",
    "histogram",
    "learning_curves",
    "model_colour",
    "scores",
    "value_map",
]
