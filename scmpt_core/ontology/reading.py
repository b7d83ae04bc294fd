"""What the words of a label say: one type, one of several, several at once, a kind of one, none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from scmpt_core.ontology.nothing import names_no_type
from scmpt_core.ontology.terms import (
    Term,
    ancestors,
    curated_kind,
    find_term,
    meanings,
    spelt_out,
)
from scmpt_core.ontology.words import words

Kind = Literal["type", "abbreviation", "several", "kind", "no type", "unknown"]
JOINED = re.compile(r"\b(?:and|or)\b")
MOST_WORDS = 8  # of a label whose words are left out in turn
# without these a label means another cell: a precursor of B cells is none
BOUND = {
    "progenitor", "precursor", "pre", "pro", "prog", "stem", "blast", "like", "non", "not",
    "negative", "derived", "anti", "immature", "fetal", "crest",
}  # fmt: skip
SHORT = 7  # letters
ALONE = {"b", "t"}  # letters that are a type; "D" and "G" are types of the gut, and anything else


@dataclass(frozen=True)
class Reading:
    """What a label says.

    Parameters
    ----------
    kind
        ``type``: ``terms`` has the one that it means. ``abbreviation``: it stands for one of
        ``terms``, and does not say which. ``several``: it names all ``terms``. ``kind``: the
        ontology lacks it, but it is a kind of ``wider``. ``no type``: it names none, as "doublets"
        does. ``unknown``: its words are not known.
    wider
        What it is a kind of, where the ontology does not say so itself.
    """

    kind: Kind
    terms: tuple[Term, ...] = ()
    wider: tuple[Term, ...] = ()


def read_label(label: str) -> Reading:
    """What ``label`` says by its words, which may be that it says several things or nothing.

    "T/NK" and "Mono_DC" name two types; "SPP1+ macrophages" is a kind of macrophage, since without
    the word that is not known it is one.
    """
    if names_no_type(label):
        return Reading("no type")
    if several := meanings(label):
        return Reading("abbreviation", several)
    by_table = curated_kind(label)
    wider = () if by_table is None else (by_table,)
    if term := find_term(label):
        return Reading("type", (term,), wider)
    if several := _several(label):
        return Reading("several", several)
    if wider:
        return Reading("kind", wider=wider)
    heads = _heads(label)
    if len(heads) == 1 and not JOINED.search(" ".join(words(label))):
        return Reading("kind", wider=heads)
    if heads:
        return Reading("several", heads)
    several = _distinct(term for word in words(label) for term in meanings(word))
    return Reading("abbreviation", several) if several else Reading("unknown")


def _several(label: str) -> tuple[Term, ...]:
    """The types that a label joins; an underscore joins two where neither is a kind of the other.

    "Mono_CD14" is of one type, said twice.
    """
    parts = [part for part in JOINED.split(" ".join(words(label))) if part.strip()]
    if len(parts) > 1:
        known = [terms for terms in map(_terms_of, parts) if terms]
        return _distinct(sum(known, ())) if len(known) > 1 else ()
    found = [_terms_of(part) for part in label.split("_") if words(part)]
    terms = _distinct(sum(found, ()))
    apart = len(_narrowest(terms)) == len(terms)
    return terms if len(found) > 1 and all(found) and apart else ()


def _terms_of(part: str) -> tuple[Term, ...]:
    found = find_term(part)
    return (found,) if found else meanings(part)


def _distinct(terms: Iterable[Term]) -> tuple[Term, ...]:
    return tuple({term.id: term for term in terms}.values())


def _heads(label: str) -> tuple[Term, ...]:
    """The types that the most words of a label name once the others are left out."""
    found = [w for w in words(spelt_out(label)) if w not in ("cell", "and", "or", "of", "the")]
    if not 1 < len(found) <= MOST_WORDS:
        return ()
    for size in range(len(found) - 1, 0, -1):
        terms = [_head(kept, found) for kept in combinations(found, size)]
        if named := [term for term in terms if term]:
            # "CD14+ DC" is a DC: a marker alone says less than a name
            names = [term for term in named if term.how != "curated"] or named
            return tuple(replace(term, how="wider") for term in _narrowest(_distinct(names)))
    return ()


def _head(kept: Sequence[str], found: Sequence[str]) -> Term | None:
    left_out = set(found) - set(kept)
    if left_out & BOUND:
        return None
    if len(kept) == 1 and len(kept[0]) == 1 and kept[0] not in ALONE:
        return None
    term = find_term(" ".join(kept))
    # our table's short words ("gamma", "PT", "tumor") hold only where they stand alone
    bare = len(kept) == 1 and len(kept[0]) <= SHORT and not kept[0].startswith("cd")
    return None if term and term.how == "curated" and bare else term


def _narrowest(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Without those that another is a kind of."""
    above = {id for term in terms for id in ancestors(term.id)}
    return tuple(term for term in terms if term.id not in above)
