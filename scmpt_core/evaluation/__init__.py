"""Comparing models on the same splits."""

from scmpt_core.evaluation.compare import BASELINE, MAJORITY, compare, planned_models
from scmpt_core.evaluation.comparison import Comparison, Run
from scmpt_core.evaluation.maps import umap_of
from scmpt_core.evaluation.order import order_classes
from scmpt_core.evaluation.stored import StoredComparison, load_stored, store

__all__ = [
    "BASELINE",
    "MAJORITY",
    "Comparison",
    "Run",
    "StoredComparison",
    "compare",
    "load_stored",
    "order_classes",
    "planned_models",
    "store",
    "umap_of",
]
