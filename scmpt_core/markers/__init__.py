"""Known marker genes: databases, which entry a label means, and overlap with a model's genes.

A kind of database is one file and one line in :data:`MARKERS`.
"""

from scmpt_core.markers.base import DatabaseInfo, Evidence, Filters, MarkerDatabase, MarkerSet
from scmpt_core.markers.curves import Markers, for_against_missing, precision_at_k
from scmpt_core.markers.download import download_panglaodb
from scmpt_core.markers.evidence import EvidenceRow, evidence_rows
from scmpt_core.markers.families import TestKey, adjust
from scmpt_core.markers.matching import (
    Match,
    accept_exact,
    confirm,
    forget,
    parse_pairs,
    propose,
    recall,
    remember,
    shared_entries,
)
from scmpt_core.markers.order import expression_bins
from scmpt_core.markers.panglaodb import PANGLAODB
from scmpt_core.markers.registry import MARKERS, list_databases, open_database
from scmpt_core.markers.statistics import MarkerTest, marker_test
from scmpt_core.markers.suggestions import EXACT, Suggestion, likely, suggest
from scmpt_core.markers.symbols import MarkerGenes, find_markers
from scmpt_core.markers.yardsticks import differential_expression, expression_ranks, mean_expression

__all__ = [
    "EXACT",
    "MARKERS",
    "PANGLAODB",
    "DatabaseInfo",
    "Evidence",
    "EvidenceRow",
    "Filters",
    "MarkerDatabase",
    "MarkerGenes",
    "MarkerSet",
    "MarkerTest",
    "Markers",
    "Match",
    "Suggestion",
    "TestKey",
    "accept_exact",
    "adjust",
    "confirm",
    "differential_expression",
    "download_panglaodb",
    "evidence_rows",
    "expression_bins",
    "expression_ranks",
    "find_markers",
    "for_against_missing",
    "forget",
    "likely",
    "list_databases",
    "marker_test",
    "mean_expression",
    "open_database",
    "parse_pairs",
    "precision_at_k",
    "propose",
    "recall",
    "remember",
    "shared_entries",
    "suggest",
]
