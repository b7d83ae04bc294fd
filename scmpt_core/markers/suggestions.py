"""Which entries of a database a label may mean, and why; the likeliest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from scmpt_core.markers.base import MarkerDatabase, MarkerSet
from scmpt_core.markers.likeness import likeness
from scmpt_core.ontology import (
    Reading,
    Term,
    ancestors,
    find_term,
    kinds_below,
    name_of,
    read_label,
)
from scmpt_core.ontology.terms import spelt_out, usual_kinds
from scmpt_core.ontology.words import label_key, words

How = Literal[
    "same words", "synonym", "same term", "ancestor", "descendant", "abbreviation",
    "several types", "looks alike",
]  # fmt: skip
EXACT: tuple[How, ...] = ("same words", "synonym", "same term")  # the same cell type
# The score only orders. What is wider than the label comes before what is narrower: the markers
# of T cells hold for CD4 T cells, those of T helper 2 cells need not.
SCORES = {"same words": 1.0, "synonym": 0.95, "same term": 0.9}
WIDER, NARROWER, STEP = 0.8, 0.6, 0.93
# But a type with more kinds than this says little of one that is 2 steps or more below: entries
# one step narrower come before epithelial cells (675 kinds) for an acinar cell, yet not before
# T cells (167) for a CD8 T cell
WIDE, FAR = 300, 0.75
TIE = 1e-5  # for each kind: of two equally near wider types the one that says more leads
USUAL = 0.1  # for the kinds of a wide type that are mostly meant
ALIKE = 0.4  # at full likeness
BONUS = 0.05  # of full likeness, so that of two equally near terms the likelier name leads
MANY = 0.85  # of the score that a type has by itself, where the label may mean another


@dataclass(frozen=True)
class Suggestion:
    """An entry that a label may mean, and why.

    Parameters
    ----------
    how
        ``same words``, whatever their order and spelling; ``synonym``: the Cell Ontology has both
        names for one term; ``same term``: our table or the database says so; ``ancestor``: the
        entry is a wider type; ``descendant``: a narrower one; ``abbreviation``: one of several
        types that the label stands for; ``several types``: one of those that it names;
        ``looks alike``: only that.
    score
        0…1, to order by; it is no probability.
    because
        In words, for the person who decides.
    steps
        In the ontology from the label to the entry; None where it does not say.
    """

    entry: str
    how: How
    score: float
    because: str
    steps: int | None = None

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


def suggest(label: str, database: MarkerDatabase, n: int = 5) -> tuple[Suggestion, ...]:
    """At most ``n`` entries that ``label`` may mean, the likeliest first; of equals, the larger.

    A label that names no type ("doublets", "cluster 3") may mean none. Of an ambiguous
    abbreviation every meaning that the database has is among them, be they more than ``n``.
    """
    reading, entries = read_label(label), list(database.entries.values())
    if reading.kind == "no type":
        return ()
    names = [entry.name for entry in entries]
    alike = likeness(label, names).tolist()
    found = [s for each in zip(entries, alike, strict=True) if (s := _by_words(label, *each))]
    if reading.kind in ("abbreviation", "several"):
        found = [_undecided(reading, s) for s in found]
    bonus = BONUS * _closeness(label, reading, names)
    found += _by_reading(label, reading, list(zip(entries, bonus.tolist(), strict=True)))
    sizes = {entry.name: len(entry.genes) for entry in entries}
    found.sort(key=lambda s: (-s.score, -sizes[s.entry], s.entry))
    best: dict[str, Suggestion] = {}
    for suggestion in found:
        best.setdefault(suggestion.entry, suggestion)
    meant = sum(s.how == "abbreviation" for s in best.values())
    return tuple(best.values())[: max(n, meant)]


def _closeness(label: str, reading: Reading, names: Sequence[str]) -> np.ndarray:
    """Which of two equally near types is called after the label or its term, (names,), 0…1."""
    # "CD4+/CD25 T Reg" is called after its kind, not its sort
    unsorted = " ".join(word for word in words(label) if not word.startswith("cd"))
    term = reading.terms[0].name if reading.kind == "type" else unsorted
    return np.maximum(likeness(unsorted, names), likeness(term, names))


def likely(suggestions: Sequence[Suggestion]) -> str | None:
    """The entry that may be filled in for a person to look at; None: choose one.

    It is of the same type or a wider one, or the only narrower one, a step away. Nothing is
    filled in that only looks alike, or where the label stands for several types.
    """
    if not suggestions:
        return None
    first = suggestions[0]
    lone = first.steps == 1 and sum(s.how == "descendant" for s in suggestions) == 1
    sure = first.how in (*EXACT, "ancestor") or (first.how == "descendant" and lone)
    return first.entry if sure else None


def _by_words(label: str, entry: MarkerSet, alike: float) -> Suggestion | None:
    name, key = entry.name, label_key(label)
    if key and label_key(name) == key:
        return Suggestion(name, "same words", SCORES["same words"], "the same words", 0)
    if key and label_key(spelt_out(name)) == label_key(spelt_out(label)):
        because = "the same words, the abbreviation written out"
        return Suggestion(name, "same term", SCORES["same term"], because, 0)
    if not alike:
        return None
    return Suggestion(name, "looks alike", ALIKE * min(alike, 1.0), "the names look alike")


def _by_reading(
    label: str, reading: Reading, entries: Sequence[tuple[MarkerSet, float]]
) -> list[Suggestion]:
    """By the ontology, of all that the label may be; entries come with their bonus."""
    if reading.kind in ("abbreviation", "several"):
        nearest = [(term, _related(term, entries)[:1]) for term in reading.terms]
        return [_one_of_many(reading, term, s) for term, found in nearest for s in found]
    found = [s for term in reading.terms for s in _related(term, entries)]
    for term in reading.wider:
        above = [s for s in _related(term, entries) if s.how != "descendant"]
        found += [_of_kind(label, term, s) for s in above]
    return found


def _related(term: Term, entries: Sequence[tuple[MarkerSet, float]]) -> list[Suggestion]:
    """Entries of the same type, a wider or a narrower one, the nearest first."""
    found = [s for entry, bonus in entries if entry.term and (s := _relation(term, entry, bonus))]
    if any(s.how == "descendant" and s.steps == 1 for s in found):
        terms = {entry.name: entry.term for entry, _ in entries}
        found = [replace(s, score=s.score * FAR) if _far(s, terms) else s for s in found]
    return sorted(found, key=lambda s: -s.score)


def _far(suggestion: Suggestion, terms: dict[str, str | None]) -> bool:
    if suggestion.how != "ancestor" or suggestion.steps == 1:
        return False
    return kinds_below(terms[suggestion.entry]) > WIDE


def _relation(term: Term, entry: MarkerSet, bonus: float) -> Suggestion | None:
    if entry.term == term.id:
        how: How = "synonym" if _by_names(term, entry) else "same term"
        return Suggestion(entry.name, how, SCORES[how], f"both are {term.name} ({term.id})", 0)
    name = name_of(entry.term)
    if steps := ancestors(term.id).get(entry.term):
        score, because = WIDER, f"{term.name} is a kind of {name}, {_steps(steps)}"
        score = score * STEP ** (steps - 1) + bonus - TIE * kinds_below(entry.term)
        return Suggestion(entry.name, "ancestor", score, because, steps)
    if steps := ancestors(entry.term).get(term.id):
        score, because = NARROWER, f"{name} is a kind of {term.name}, {_steps(steps)}"
        usual = USUAL if entry.term in usual_kinds(term.id) else 0
        score = score * STEP ** (steps - 1) + bonus + usual
        return Suggestion(entry.name, "descendant", score, because, steps)
    return None


def _steps(n: int) -> str:
    return "1 step" if n == 1 else f"{n} steps"


def _by_names(term: Term, entry: MarkerSet) -> bool:
    """Whether the ontology itself has both names for the term, not only a table of ours."""
    other, own = find_term(entry.name), ("name", "synonym")
    return bool(other) and other.id == term.id and term.how in own and other.how in own


def _of_kind(label: str, term: Term, found: Suggestion) -> Suggestion:
    """What a type that the ontology lacks takes over from the one that it is a kind of."""
    because, score = f"{label} is taken for a kind of {term.name}", found.score * STEP
    if found.how == "ancestor":
        return replace(
            found, because=f"{because}; {found.because}", score=score, steps=found.steps + 1
        )
    return Suggestion(found.entry, "ancestor", WIDER, because, 1)


def _one_of_many(reading: Reading, term: Term, found: Suggestion) -> Suggestion:
    others = " or ".join(t.name for t in reading.terms if t != term)
    nearest = "" if found.how in EXACT else f" ({found.because})"
    score = found.score * MANY
    if reading.kind == "several":
        because = f"it names {term.name}{nearest}, but {others} too"
        return Suggestion(found.entry, "several types", score, because, found.steps)
    because = f"it may stand for {term.name}{nearest}, or for {others}"
    return Suggestion(found.entry, "abbreviation", score, because, found.steps)


def _undecided(reading: Reading, found: Suggestion) -> Suggestion:
    """The words of an abbreviation do not say that two mean the same by it."""
    if (reading.kind == "several" and found.how == "same words") or found.how == "looks alike":
        return found
    how = "abbreviation" if reading.kind == "abbreviation" else "several types"
    meant = " or ".join(term.name for term in reading.terms)
    return replace(found, how=how, because=f"{found.because}, but it may mean {meant}")
