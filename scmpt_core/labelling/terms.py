"""Cell Ontology terms beside labels: where to read about one, what to propose for none."""

from __future__ import annotations

from urllib.parse import quote

from scmpt_core.fusion import UNKNOWN
from scmpt_core.labelling.labels import Labelling

LOOK_UP = "https://www.ebi.ac.uk/ols4/ontologies/cl/classes/"  # EMBL-EBI's look-up service
IRI = "http://purl.obolibrary.org/obo/"


def term_url(id: str) -> str:
    """The page of a term, such as ``CL:0000236``, in EMBL-EBI's ontology look-up service."""
    iri = quote(IRI + id.replace(":", "_"), safe="")
    return LOOK_UP + quote(iri, safe="")  # the service takes the address encoded twice


def without_term(labelling: Labelling) -> list[str]:
    """Labels of cells that have no id and were not said to have none, most frequent first."""
    known = labelling.ids_of_labels | labelling.terms
    return [name for name in labelling.counts if name not in known and name != UNKNOWN]
