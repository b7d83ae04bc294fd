"""Comparing models on the same splits."""

from scmpt_core.evaluation.compare import Comparison, Run, compare
from scmpt_core.evaluation.maps import umap_of

__all__ = ["Comparison", "Run", "compare", "umap_of"]
