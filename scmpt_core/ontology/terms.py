"""Cell types of the Cell Ontology: which one a label means, and what stands above it."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from scmpt_core.errors import DataError
from scmpt_core.ontology.words import label_key, words

CURATED = Path(__file__).parents[1] / "assets" / "cell_labels.json"
How = Literal["name", "synonym", "curated", "abbreviation", "wider", "similar"]

# types of other species: "alpha cell" is a synonym of a ganglion cell of the mouse alone
FOREIGN = re.compile(r"\(Mmus\)|\bmouse\b|\(sensu (?!Vertebrata|Mammalia)")
# the ontology has the CD141-positive dendritic cell, today's cDC1, as a plasmacytoid one too
WRONG = {("CL:0002394", "CL:0000784")}
MIN_SYNONYM = 3  # characters; "PD" is also a neuron of the crab


@dataclass(frozen=True)
class Term:
    """A cell type, and why it was found.

    Parameters
    ----------
    how
        The label is its ``name`` or a ``synonym``; ``curated``: our own table says so, a
        suggestion, since the label by itself is ambiguous or abbreviated; ``abbreviation``: it is
        one of several that the label stands for; ``wider``: the label is a kind of it;
        ``similar``: it only looks alike.
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
    kinds: dict[str, str]  # what the ontology lacks, or has too far away → the type that it is of
    ambiguous: dict[str, tuple[str, ...]]  # abbreviation → all that it stands for
    usual: dict[str, frozenset[str]]  # a wide type → those of its kinds that are mostly meant
    abbreviations: dict[str, str]  # one word → what it stands for


def find_term(label: str) -> Term | None:
    """The cell type that ``label`` means, or ``None`` where its words do not say.

    Our table comes first, because some names and synonyms mean something else in single-cell
    data ("PP", "DC2"). What is only found with its abbreviations written out is ``curated`` too.
    An abbreviation of several types ("HSC") finds none; see :func:`meanings`.
    """
    if meanings(label):
        return None
    found = _look_up(label) or expanded(label)
    if found is None and (spelt := _look_up(spelt_out(label))):
        return replace(spelt, how="curated")
    return found


@lru_cache(maxsize=1 << 14)
def spelt_out(label: str) -> str:
    """Its words, abbreviations written out: "dendritic" for "DCs"."""
    known = _index().abbreviations
    return " ".join(known.get(word, word) for word in words(label))


def meanings(label: str) -> tuple[Term, ...]:
    """All that an ambiguous abbreviation stands for, with a number behind it or without."""
    key = " ".join(word for word in label_key(label).split() if not word.isdigit())
    return tuple(Term(id, name_of(id), "abbreviation") for id in _index().ambiguous.get(key, ()))


def curated_kind(label: str) -> Term | None:
    """What ``label`` is a kind of, where our table says so."""
    for key in (label_key(label), label_key(spelt_out(label))):
        if key in (kinds := _index().kinds):
            return Term(kinds[key], name_of(kinds[key]), "wider")
    return None


def usual_kinds(term: str) -> frozenset[str]:
    """Ids of the kinds of a wide type that are mostly meant: of myeloid cells, no red ones."""
    return _index().usual.get(term, frozenset())


def expanded(label: str) -> Term | None:
    """What a label with an ambiguous abbreviation means, if its other words allow one only.

    A "lymphatic EC" is endothelial, since there is no lymphatic enterocyte.
    """
    found, parts = {}, words(label)
    for i, word in enumerate(parts):
        for id in _index().ambiguous.get(word, ()):
            term = _look_up(" ".join([*parts[:i], name_of(id), *parts[i + 1 :]]))
            found |= {term.id: replace(term, how="curated")} if term else {}
    return next(iter(found.values())) if len(found) == 1 else None


def _look_up(label: str) -> Term | None:
    key, index = label_key(label), _index()
    tables = {"curated": index.curated, "name": index.names, "synonym": index.synonyms}
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
    curated, kinds = (
        {label_key(label): entry["id"] for entry in ours[table] for label in entry["labels"]}
        for table in ("labels", "kinds")
    )
    ambiguous = {label_key(e["label"]): tuple(e["meanings"]) for e in ours["ambiguous"]}
    return _Index(
        _unambiguous(names),
        _unambiguous(synonyms),
        curated,
        kinds,
        ambiguous,
        {entry["id"]: frozenset(entry["kinds"]) for entry in ours["usual"]},
        ours["abbreviations"],
    )


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
    above = [pair for pair in _record(term)["ancestors"].items() if (term, pair[0]) not in WRONG]
    return dict(sorted(above, key=lambda pair: (pair[1], pair[0])))


def kinds_below(term: str) -> int:
    """How many types are a kind of this one: 324 of the lymphocyte, 15 of the NK cell."""
    return _kinds_below()[term]


@lru_cache
def _kinds_below() -> Counter[str]:
    return Counter(above for term in human_terms() for above in _record(term)["ancestors"])
