"""Cell types of the Cell Ontology: which one a label means, and what stands above it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from scmpt_core.errors import DataError
from scmpt_core.ontology.words import label_key, words

CURATED = Path(__file__).parents[1] / "assets" / "cell_labels.json"
How = Literal["name", "synonym", "curated", "similar"]

# types of other species: "alpha cell" is a synonym of a ganglion cell of the mouse alone
FOREIGN = re.compile(r"\(Mmus\)|\bmouse\b|\(sensu (?!Vertebrata|Mammalia)")
MIN_SYNONYM = 3  # characters; "PD" is also a neuron of the crab


@dataclass(frozen=True)
class Term:
    """A cell type, and why it was found.

    Parameters
    ----------
    how
        The label is its ``name`` or a ``synonym``; ``curated``: our own table says so, a
        suggestion, since the label by itself is ambiguous or abbreviated; ``similar``: it only
        looks alike.
    """

    id: str  # "CL:0000236"
    name: str
    how: How

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class _Index:
    """Key of a label → id of a term; a key of several terms stands in none."""

    names: dict[str, str]
    synonyms: dict[str, str]
    curated: dict[str, str]
    abbreviations: dict[str, str]  # one word → what it stands for


def find_term(label: str) -> Term | None:
    """The cell type that ``label`` means, or ``None`` where its words do not say.

    Our table comes before the synonyms, because some of these mean something else today
    ("DC2"). What is only found with its abbreviations written out is ``curated`` too.
    """
    found = _look_up(label)
    if found is None and (spelt := _look_up(spelt_out(label))):
        return replace(spelt, how="curated")
    return found


def spelt_out(label: str) -> str:
    """Its words, abbreviations written out: "dendritic" for "DCs"."""
    known = _index().abbreviations
    return " ".join(known.get(word, word) for word in words(label))


def _look_up(label: str) -> Term | None:
    key, index = label_key(label), _index()
    tables = {"name": index.names, "curated": index.curated, "synonym": index.synonyms}
    for how, table in tables.items():
        if key in table:
            return Term(table[key], name_of(table[key]), how)
    return None


@lru_cache
def _index() -> _Index:
    """All names, synonyms and entries of our table, by key; made once, in 0.1 s."""
    names: dict[str, set[str]] = defaultdict(set)
    synonyms: dict[str, set[str]] = defaultdict(set)
    for term, record in human_terms().items():
        names[label_key(record["label"])].add(term)
        for synonym in record.get("synonyms", ()):
            if len(synonym) >= MIN_SYNONYM:
                synonyms[label_key(synonym)].add(term)
    ours = json.loads(CURATED.read_text(encoding="utf-8"))
    curated = {label_key(label): e["id"] for e in ours["labels"] for label in e["labels"]}
    return _Index(_unambiguous(names), _unambiguous(synonyms), curated, ours["abbreviations"])


def _unambiguous(table: dict[str, set[str]]) -> dict[str, str]:
    return {key: next(iter(terms)) for key, terms in table.items() if len(terms) == 1 and key}


@lru_cache
def _terms() -> dict[str, dict]:
    """Id → record of all terms, obsolete ones too; read once."""
    from cellxgene_ontology_guide.ontology_parser import OntologyParser

    return OntologyParser().cxg_schema.ontology("CL")


def human_terms() -> dict[str, dict]:
    """Id → record of the terms in use that are not of another species by their name."""
    return {
        term: record
        for term, record in _terms().items()
        if not record["deprecated"] and not FOREIGN.search(record["label"])
    }


def _record(term: str) -> dict:
    if term not in _terms():
        raise DataError(
            f"{term!r} is not a term of the Cell Ontology.", "Ids look like CL:0000236."
        )
    return _terms()[term]


def name_of(term: str) -> str:
    """The name of the term with this id.

    Raises
    ------
    DataError
        There is none.
    """
    return _record(term)["label"]


def ancestors(term: str) -> dict[str, int]:
    """Ids of all that the term is a kind of, with their distance in steps, nearest first.

    Raises
    ------
    DataError
        There is no such term.
    """
    return dict(sorted(_record(term)["ancestors"].items(), key=lambda pair: (pair[1], pair[0])))


def is_ancestor(above: str, term: str) -> bool:
    """Whether ``term`` is a kind of ``above``; no term is one of itself.

    Raises
    ------
    DataError
        There is no such term.
    """
    return _record(above) is not _record(term) and above in _record(term)["ancestors"]


def common_ancestor(terms: Iterable[str]) -> str:
    """The nearest term that all are, or are a kind of: the one with the fewest steps in sum.

    Raises
    ------
    DataError
        There is no such term, or none was given.
    """
    chains = [{term: 0, **ancestors(term)} for term in terms]
    if not chains:
        raise DataError("0 terms have no common ancestor.", "Give one at least.")
    shared = set.intersection(*map(set, chains))
    return min(shared, key=lambda term: (sum(chain[term] for chain in chains), term))
