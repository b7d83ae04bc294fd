"""Comparing models on the same splits."""

from scmpt_core.evaluation.agreement import Agreement, Case, agreement_of
from scmpt_core.evaluation.baselines import BASELINES, get_baseline
from scmpt_core.evaluation.compare import compare
from scmpt_core.evaluation.comparison import Comparison
from scmpt_core.evaluation.effort import EFFORTS, MAX_SEEDS, Effort, Plan, get_effort
from scmpt_core.evaluation.looks import (
    cells_tested,
    mistakes,
    right_names,
    threshold_costs,
    who_is_right,
)
from scmpt_core.evaluation.maps import umap_of
from scmpt_core.evaluation.order import order_classes
from scmpt_core.evaluation.runs import Run
from scmpt_core.evaluation.stored import StoredComparison, load_stored, store
from scmpt_core.evaluation.tables import (
    FUSION,
    class_table,
    coverage_table,
    in_words,
    paired_tests,
    ranked,
    score_file,
    score_table,
    settings_table,
    with_interval,
)
from scmpt_core.evaluation.verdict import Pair, Verdict

__all__ = [
    "BASELINES",
    "EFFORTS",
    "FUSION",
    "MAX_SEEDS",
    "Agreement",
    "Case",
    "Comparison",
    "Effort",
    "Pair",
    "Plan",
    "Run",
    "StoredComparison",
    "Verdict",
    "agreement_of",
    "cells_tested",
    "class_table",
    "compare",
    "coverage_table",
    "get_baseline",
    "get_effort",
    "in_words",
    "load_stored",
    "mistakes",
    "order_classes",
    "paired_tests",
    "ranked",
    "right_names",
    "score_file",
    "score_table",
    "settings_table",
    "store",
    "threshold_costs",
    "umap_of",
    "who_is_right",
    "with_interval",
]
