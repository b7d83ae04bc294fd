"""Which entry of a database a label means: suggested in order, never taken silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scmpt_core.errors import SettingError
from scmpt_core.markers.base import MarkerDatabase
from scmpt_core.markers.custom import NAME as CUSTOM
from scmpt_core.markers.suggestions import EXACT, Suggestion, likely, suggest
from scmpt_core.ontology import names_no_type

# how an entry was accepted: a person said so, now or earlier, or it is of the same type
Accepted = Literal["by you", "remembered", "same words", "synonym", "same term"]
SHOWN = 3  # of the nearest entries, in a line


@dataclass(frozen=True)
class Match:
    """A label with its entry.

    Parameters
    ----------
    entry
        None: none, or none yet.
    confirmed
        Whether it counts; until then ``entry`` is a proposal and nothing is computed of it.
    suggestions
        The best first.
    accepted
        How it came to count; None where it does not. Without a person only entries of the same
        type do.
    """

    label: str
    entry: str | None
    confirmed: bool
    suggestions: tuple[Suggestion, ...] = ()
    accepted: Accepted | None = None

    def said(self) -> str:
        """In a line: "CD4 T cells → T helper cells (by you)"."""
        if self.confirmed:
            return f"{self.label} → {self.entry or 'no entry'} ({self.accepted})"
        if names_no_type(self.label):
            return f"{self.label}: names no cell type"
        if not self.suggestions:
            return f"{self.label}: no entry, and none looks like it"
        first = self.suggestions[0].how
        why = {"abbreviation": "may mean several types", "several types": "names several types"}
        near = ", ".join(s.entry for s in self.suggestions[:SHOWN])
        return f"{self.label}: {why.get(first, 'no entry')}; nearest: {near}"

    def to_json(self) -> dict:
        """As a JSON object."""
        return {**vars(self), "suggestions": [s.to_json() for s in self.suggestions]}

    @classmethod
    def from_json(cls, value: dict) -> Match:
        """Back from :meth:`to_json`."""
        return cls(**{**value, "suggestions": tuple(Suggestion(**s) for s in value["suggestions"])})


def propose(labels: Sequence[str], database: MarkerDatabase) -> list[Match]:
    """Suggestions for each label, and the entry that may be filled in: for a person to confirm."""
    found = {label: suggest(label, database) for label in labels}
    return [Match(label, likely(found[label]), False, found[label]) for label in labels]


def confirm(
    match: Match, entry: str | None, database: MarkerDatabase, accepted: Accepted = "by you"
) -> Match:
    """What a person said the label is; ``None``: no entry of the database.

    Raises
    ------
    SettingError
        The database has no such entry.
    """
    name = entry if entry is None else database.entry(entry).name
    return replace(match, entry=name, confirmed=True, accepted=accepted)


def accept_exact(
    labels: Sequence[str],
    database: MarkerDatabase,
    pairs: Mapping[str, str] | None = None,
) -> list[Match]:
    """Without a person: what ``pairs`` say, else the best suggestion where it is of one type.

    All others are not matched (entry None, not confirmed), and keep their suggestions; so are
    abbreviations of several types, whatever the database calls its entries.

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
        elif match.suggestions and (best := match.suggestions[0]).how in EXACT:
            out.append(confirm(match, best.entry, database, best.how))
        else:
            out.append(replace(match, entry=None))
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
    known = book.setdefault(_key(database), {})
    known.update({match.label: match.entry for match in matches if match.confirmed})
    return book


def recall(
    book: Mapping[str, dict], labels: Sequence[str], database: MarkerDatabase
) -> list[Match]:
    """Proposals, with those confirmed that :func:`remember` kept and the database still has."""
    known = book.get(_key(database), {})
    return [
        confirm(match, known[match.label], database, "remembered")
        if match.label in known and known[match.label] in (None, *database.entries)
        else match
        for match in propose(labels, database)
    ]


def forget(book: Mapping[str, dict], database: MarkerDatabase) -> dict[str, dict]:
    """The book without what was remembered of one database."""
    return {name: dict(known) for name, known in book.items() if name != _key(database)}


def _key(database: MarkerDatabase) -> str:
    """Name of the database; tables of one's own share theirs, and are told by their content."""
    own = database.name == CUSTOM
    return f"{CUSTOM} {database.sha256}" if own else database.name
