"""Labels that name no cell type: doublets, what is unknown or of low quality, cluster numbers."""

from __future__ import annotations

import re

from scmpt_core.ontology.words import words

MIXED = {"doublet", "multiplet", "debris"}  # one such word is enough: "T/B doublets"
CLUSTER = {"cluster", "clust", "cl", "group", "community", "leiden", "louvain", "seurat", "subset"}
# nothing else may stand beside these: "Other T" is of T cells
EMPTY = {
    "unknown", "unk", "unassigned", "unclassified", "undefined", "undetermined", "unidentified",
    "unannotated", "unlabeled", "unlabelled", "uncertain", "ambiguous", "other", "rest", "misc",
    "miscellaneous", "mixed", "mixture", "various", "na", "nan", "none", "null", "not", "no",
    "assigned", "annotated", "available", "applicable", "determined", "label", "type", "cell",
    "low", "lowq", "poor", "bad", "quality", "empty", "droplet", "dead", "dying", "ambient",
    "contaminant", "contaminated", "contamination", "noise", "artifact", "artefact", "outlier",
    "junk", "remove", "removed", "exclude", "excluded", "filtered", "to", "be", "and", "or",
} | CLUSTER  # fmt: skip
NUMBERED = re.compile(rf"(?:c|{'|'.join(sorted(CLUSTER))})?\d+[a-z]?")  # "3", "c3", "cluster3"


def names_no_type(label: str) -> bool:
    """Whether the words of ``label`` name no cell type, whatever they look like."""
    if label.strip().casefold() in ("n/a", "n.a."):
        return True
    found = words(label)
    if MIXED.intersection(found):
        return True
    # "cluster B" is a number in another alphabet, but "cluster NK" is not
    letters = bool(found) and found[0] in CLUSTER
    return all(
        word in EMPTY or NUMBERED.fullmatch(word) or (letters and len(word) == 1) for word in found
    )
