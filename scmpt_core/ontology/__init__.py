"""Cell types of the Cell Ontology that labels mean.

The ontology (Diehl et al. 2016, doi:10.1186/s13326-016-0088-7) comes inside the package
``cellxgene-ontology-guide`` and needs no network. A label is matched by its words, whatever their
order, case, plural or punctuation, and never by likeness; what only looks alike is for a person to
choose from (:func:`suggest_terms`). What else the words can say, that there are several types or
none, is in :func:`read_label`.
"""

from scmpt_core.ontology.nothing import names_no_type
from scmpt_core.ontology.reading import Reading, read_label
from scmpt_core.ontology.similar import suggest_terms
from scmpt_core.ontology.terms import Term, ancestors, find_term, kinds_below, name_of

__all__ = [
    "Reading",
    "Term",
    "ancestors",
    "find_term",
    "kinds_below",
    "name_of",
    "names_no_type",
    "read_label",
    "suggest_terms",
]
