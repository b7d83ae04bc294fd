"""How many of a file's genes each encoder knows."""

from __future__ import annotations

from scmpt_core.cells import Cells
from scmpt_core.data.findings import Finding, info, warning
from scmpt_core.encoders.registry import ENCODERS

LOW = 0.5  # below this share an encoder sees less than half of the file


def coverage_findings(cells: Cells) -> list[Finding]:
    """One finding an encoder that has a vocabulary; text encoders and PCA take any name."""
    out = []
    for spec in ENCODERS:
        vocabulary = spec.vocabulary()
        if vocabulary is None:
            message = f"{spec.info.name} takes all {len(cells.genes):,} genes (no vocabulary)."
            out.append(info(f"coverage_{spec.info.name}", len(cells.genes), message))
            continue
        known = sum(gene in vocabulary for gene in cells.genes)
        share = known / max(len(cells.genes), 1)
        message = f"{spec.info.name} knows {known:,} of {len(cells.genes):,} genes ({share:.1%})."
        make = info if share >= LOW else warning
        hint = "" if share >= LOW else "Its embeddings rest on a minority of your genes."
        out.append(make(f"coverage_{spec.info.name}", known, message, hint))
    return out
