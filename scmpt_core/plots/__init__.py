"""Data in, plotly figure out; no Streamlit."""

from scmpt_core.plots.figures import confusion, learning_curves, scatter, scores
from scmpt_core.plots.palette import class_styles, model_colour

__all__ = ["class_styles", "confusion", "learning_curves", "model_colour", "scatter", "scores"]
