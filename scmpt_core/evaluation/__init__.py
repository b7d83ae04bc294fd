"""Comparing models on the same splits."""

from scmpt_core.evaluation.compare import Comparison, Run, compare

__all__ = ["Comparison", "Run", "compare"]
