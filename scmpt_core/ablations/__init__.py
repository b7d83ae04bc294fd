"""What a model leans on: perturbed cells, and the same question again."""

from scmpt_core.ablations.base import FAMILIES, REGIMES, AblationInfo, Regime, Strength
from scmpt_core.ablations.registry import ABLATIONS, PAPERS, get_ablation
from scmpt_core.ablations.request import Request, read_gene_set
from scmpt_core.ablations.result import Ablated, Answers, Setting, load_ablated, save_ablated
from scmpt_core.ablations.run import Known, ablate, marker_sets
from scmpt_core.ablations.summary import (
    Row,
    TypeRow,
    board,
    curve,
    summarise,
    title_of,
    type_rows,
    unperturbed,
)

__all__ = [
    "ABLATIONS",
    "FAMILIES",
    "PAPERS",
    "REGIMES",
    "Ablated",
    "AblationInfo",
    "Answers",
    "Known",
    "Regime",
    "Request",
    "Row",
    "Setting",
    "Strength",
    "TypeRow",
    "ablate",
    "board",
    "curve",
    "get_ablation",
    "load_ablated",
    "marker_sets",
    "read_gene_set",
    "save_ablated",
    "summarise",
    "title_of",
    "type_rows",
    "unperturbed",
]
