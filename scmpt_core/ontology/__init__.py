"""Cell types of the Cell Ontology that labels mean.

The ontology (Diehl et al. 2016, doi:10.1186/s13326-016-0088-7) comes inside the package
``cellxgene-ontology-guide`` and needs no network. A label is matched by its words, whatever their
order, case, plural or punctuation, and never by likeness; what only looks alike is for a person to
choose from (:func:`suggest_terms`).
"""

from scmpt_core.ontology.similar import suggest_terms
from scmpt_core.ontology.terms import (
    Term,
    ancestors,
    common_ancestor,
    find_term,
    is_ancestor,
    name_of,
)

__all__ = [
    "Term",
    "ancestors",
    "common_ancestor",
    "find_term",
    "is_ancestor",
    "name_of",
    "suggest_terms",
]
