"""Which entry of a database a label means: suggested in order, never taken silently."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from scmpt_core.errors import SettingError
from scmpt_core.markers.base import MarkerDatabase, MarkerSet
from scmpt_core.markers.likeness import likeness
from scmpt_core.ontology import Term, ancestors, find_term, name_of
from scmpt_core.ontology.words import label_key, words

How = Literal["same words", "synonym", "same term", "ancestor", "descendant", "looks alike"]
EXACT: tuple[How, ...] = ("same words", "synonym", "same term")  # the same cell type
MIN_LIKENESS = 0.3  # as of the ontology's suggestions
# The score only orders. What is wider than the label comes before what is narrower: the markers
# of T cells hold for CD4 T cells, those of T helper 2 cells need not.
SCORES = {"same words": 1.0, "synonym": 0.95, "same term": 0.9}
WIDER, NARROWER, STEP = 0.8, 0.6, 0.93
ALIKE = 0.4  # at full likeness
BONUS = 0.05  # of full likeness, so that of two equally near terms the likelier name leads


@dataclass(frozen=True)
class Suggestion:
    """An entry that a label may mean, and why.

    Parameters
    ----------
    how
        ``same words``, whatever their order and spelling; ``synonym``: the Cell Ontology has both
        names for one term; ``same term``: our table or the database says so; ``ancestor``: the
        entry is a wider type; ``descendant``: a narrower one; ``looks alike``: only that.
    score
        0…1, to order by; it is no probability.
    because
        In words, for the person who decides.
    """

    entry: str
    how: How
    score: float
    because: str

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Match:
    """A label with its entry.

    Parameters
    ----------
    entry
        None: none, or none yet.
    confirmed
        Whether somebody said so; until then ``entry`` is a proposal and nothing is computed of it.
    suggestions
        The best first.
    """

    label: str
    entry: str | None
    confirmed: bool
    suggestions: tuple[Suggestion, ...] = ()

    def to_json(self) -> dict:
        """As a JSON object."""
        return {**vars(self), "suggestions": [s.to_json() for s in self.suggestions]}

    @classmethod
    def from_json(cls, value: dict) -> Match:
        """Back from :meth:`to_json`."""
        suggestions = tuple(Suggestion(**s) for s in value["suggestions"])
        return cls(value["label"], value["entry"], value["confirmed"], suggestions)


def suggest(label: str, database: MarkerDatabase, n: int = 5) -> tuple[Suggestion, ...]:
    """At most ``n`` entries that ``label`` may mean, the likeliest first; of equals, the larger."""
    term, key = find_term(label), label_key(label)
    entries = list(database.entries.values())
    names = [entry.name for entry in entries]
    # which of two equally near terms: "CD4+/CD25 T Reg" is called after its kind, not its sort
    unsorted = " ".join(word for word in words(label) if not word.startswith("cd"))
    alike, bonus = likeness(label, names), BONUS * likeness(unsorted, names)
    found = [
        _compare(key, term, *each)
        for each in zip(entries, alike.tolist(), bonus.tolist(), strict=True)
    ]
    sizes = {entry.name: len(entry.genes) for entry in entries}
    known = [suggestion for suggestion in found if suggestion]
    known.sort(key=lambda s: (-s.score, -sizes[s.entry], s.entry))
    return tuple(known[:n])


def _compare(
    key: str, term: Term | None, entry: MarkerSet, alike: float, bonus: float
) -> Suggestion | None:
    if key and label_key(entry.name) == key:
        return Suggestion(entry.name, "same words", SCORES["same words"], "the same words")
    if term and entry.term and (found := _by_ontology(term, entry, bonus)):
        return found
    if alike < MIN_LIKENESS:
        return None
    return Suggestion(entry.name, "looks alike", ALIKE * min(alike, 1.0), "the names look alike")


def _by_ontology(term: Term, entry: MarkerSet, bonus: float) -> Suggestion | None:
    if entry.term == term.id:
        how: How = "synonym" if _by_names(term, entry) else "same term"
        return Suggestion(entry.name, how, SCORES[how], f"both are {term.name} ({term.id})")
    name = name_of(entry.term)
    if steps := ancestors(term.id).get(entry.term):
        score, because = WIDER, f"{term.name} is a kind of {name}, {_steps(steps)}"
        return Suggestion(entry.name, "ancestor", score * STEP ** (steps - 1) + bonus, because)
    if steps := ancestors(entry.term).get(term.id):
        score, because = NARROWER, f"{name} is a kind of {term.name}, {_steps(steps)}"
        return Suggestion(entry.name, "descendant", score * STEP ** (steps - 1) + bonus, because)
    return None


def _steps(n: int) -> str:
    return "1 step" if n == 1 else f"{n} steps"


def _by_names(term: Term, entry: MarkerSet) -> bool:
    """Whether the ontology itself has both names for the term, not only a table of ours."""
    other = find_term(entry.name)
    return bool(other) and other.id == term.id and "curated" not in (term.how, other.how)


def propose(labels: Sequence[str], database: MarkerDatabase, n: int = 5) -> list[Match]:
    """The best suggestion for each label, for a person to confirm or change."""
    out = []
    for label in labels:
        found = suggest(label, database, n)
        out.append(Match(label, found[0].entry if found else None, False, found))
    return out


def confirm(match: Match, entry: str | None, database: MarkerDatabase) -> Match:
    """What a person said the label is; ``None``: no entry of the database.

    Raises
    ------
    SettingError
        The database has no such entry.
    """
    name = entry if entry is None else database.entry(entry).name
    return Match(match.label, name, True, match.suggestions)


def accept_exact(
    labels: Sequence[str],
    database: MarkerDatabase,
    pairs: Mapping[str, str] | None = None,
    accepted: Collection[How] = EXACT,
) -> list[Match]:
    """Without a person: what ``pairs`` say, else the best suggestion where it is of one type.

    All others are not matched (entry None, not confirmed), and keep their suggestions.

    Raises
    ------
    SettingError
        A pair names a label or an entry that there is not.
    """
    pairs = pairs or {}
    for label in pairs:
        if label not in labels:
            known = ", ".join(labels)
            raise SettingError(f"There is no label {label!r}; there are: {known}.", "Name one.")
    out = []
    for match in propose(labels, database):
        if match.label in pairs:
            out.append(confirm(match, pairs[match.label], database))
        elif match.suggestions and match.suggestions[0].how in accepted:
            out.append(confirm(match, match.entry, database))
        else:
            out.append(Match(match.label, None, False, match.suggestions))
    return out


def parse_pairs(texts: Sequence[str]) -> dict[str, str]:
    """``LABEL=ENTRY`` as typed on the command line; the last "=" divides.

    Raises
    ------
    SettingError
        One is of another form, or a label is given twice.
    """
    out: dict[str, str] = {}
    for text in texts:
        label, sign, entry = (part.strip() for part in text.rpartition("="))
        if not (label and sign and entry):
            raise SettingError(f"{text!r} is not of the form LABEL=ENTRY.", "Write it so.")
        if label in out:
            raise SettingError(f"{label!r} is given twice: {out[label]}, {entry}.", "Give it once.")
        out[label] = entry
    return out


def shared_entries(matches: Sequence[Match]) -> dict[str, tuple[str, ...]]:
    """Entries that several labels have, with these labels: together they count once."""
    labels: dict[str, list[str]] = {}
    for match in matches:
        if match.confirmed and match.entry is not None:
            labels.setdefault(match.entry, []).append(match.label)
    return {entry: tuple(names) for entry, names in labels.items() if len(names) > 1}


def remember(
    matches: Sequence[Match], database: MarkerDatabase, earlier: Mapping[str, dict] | None = None
) -> dict[str, dict]:
    """What was confirmed, as a JSON object: database → label → entry (null: none).

    ``earlier`` is what was remembered before; labels that are not confirmed now keep theirs.
    """
    book = {name: dict(known) for name, known in (earlier or {}).items()}
    known = book.setdefault(database.name, {})
    known.update({match.label: match.entry for match in matches if match.confirmed})
    return book


def recall(
    book: Mapping[str, dict], labels: Sequence[str], database: MarkerDatabase
) -> list[Match]:
    """Proposals, with those confirmed that :func:`remember` kept and the database still has."""
    known = book.get(database.name, {})
    return [
        confirm(match, known[match.label], database)
        if match.label in known and known[match.label] in (None, *database.entries)
        else match
        for match in propose(labels, database)
    ]
