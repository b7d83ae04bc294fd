"""Public sets that are recognised, and what their publication says of their labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scmpt_core.data.demo import DEMO
from scmpt_core.data.findings import Finding, Severity

_SOURCES = re.compile(r"source|pub|title|citation|reference|doi|accession|geo|counts", re.I)


@dataclass(frozen=True)
class Known:
    """A public set, and what is said of its labels.

    Parameters
    ----------
    recognised
        Matches what the file says of its origin, or the name of the demo.
    labels
        Matches the columns that the statement is about.
    """

    recognised: str
    labels: str
    severity: Severity
    statement: str
    reference: str


TYPES = r"cell|type|label|cluster|annot|state"
KNOWN = (
    Known(
        r"(?=.*(?:ncomms14049|Zheng\W+2017))(?=.*(?:FACS|sorted))",
        TYPES,
        "warning",
        "Every type was enriched from one donor's blood and sequenced in a run of its own, so a "
        "label is also a library: part of any accuracy may be differences between libraries.",
        "Zheng 2017, doi:10.1038/ncomms14049",
    ),
    Known(
        rf"^{DEMO}$|pbmc68k_reduced",
        r"bulk_labels",
        "warning",
        "These labels were given to each cell by its correlation with sorted cells: they are "
        "predictions themselves, and agreeing with them is not the same as being right. Those "
        "called CD14+ Monocyte express FCGR3A, C1QA and LST1 more than any others, as CD16+ "
        "monocytes do.",
        "Zheng 2017, doi:10.1038/ncomms14049, as reduced by scanpy",
    ),
    Known(
        r"nbt\.4042|GSE96583|Kang\W+2018",
        r"",
        "info",
        "The blood of 8 donors was pooled and, within a condition, sequenced together: leaving out "
        "whole donors is an honest test of a new person, without a change of library.",
        "Kang 2018, doi:10.1038/nbt.4042",
    ),
    Known(
        r"(?=.*(?:nbt\.4042|GSE96583))(?=.*1,?287 genes)",
        r"",
        "info",
        "This copy holds 1,287 genes only, so encoders see a fraction of each cell.",
        "Kang 2018, doi:10.1038/nbt.4042",
    ),
    Known(
        r"(?=.*(?:GSE84133|Baron\W+2016))(?=.*12,?474)",
        TYPES,
        "info",
        "This copy holds 35 cells of each of 5 types, not the proportions of the tissue, and the "
        "12,474 genes shared with mouse: INS (insulin) is missing, so beta cells are told by "
        "others.",
        "Baron 2016, doi:10.1016/j.cels.2016.08.011",
    ),
    Known(
        r"GSE81608|Xin\W+2016",
        TYPES,
        "info",
        "The islets are of 18 donors, some with type 2 diabetes; where the file does not say "
        "whose a cell is, cells of one donor stand in training and test alike.",
        "Xin 2016, doi:10.1016/j.cmet.2016.08.018",
    ),
    Known(
        r"(?=.*symphony)(?=.*(?:3pv1|pbmcs_))",
        r"",
        "info",
        "The batches are three chemistries (10x 3' v1, 3' v2, 5'): leaving one out tests a new "
        "chemistry, not a new donor.",
        "Kang 2021, doi:10.1038/s41467-021-25957-x",
    ),
    Known(
        r"GSE120575|Sade\W?Feldman\W+2018",
        TYPES,
        "warning",
        "The T-cell states follow the authors' clusters of the same expression values: a high "
        "score means that the clustering is learnt again, not that states were measured apart.",
        "Sade-Feldman 2018, doi:10.1016/j.cell.2018.10.038",
    ),
)


def known_set(name: str, uns: Mapping[str, object], label: str, n: int) -> list[Finding]:
    """What is published on the labels of a set that is recognised by its origin or name."""
    origin = _origin(uns)
    return [
        Finding(k.severity, "known_set", n, f"{k.statement} ({k.reference})")
        for k in KNOWN
        if re.search(k.labels, label, re.I)
        and any(re.search(k.recognised, text, re.I | re.S) for text in (name, origin))
    ]


def _origin(value: object) -> str:
    """All text that ``uns`` holds on where the file comes from; JSON stays as it is."""
    if isinstance(value, Mapping):
        return "\n".join(_origin(v) for k, v in value.items() if _SOURCES.search(str(k)))
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value) if isinstance(value, str | np.ndarray | list | tuple) else ""
