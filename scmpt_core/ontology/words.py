"""The words of a label, in one form whatever the spelling.

"CD14+ Monocytes", "monocyte (CD14-positive)" and "Monocyte_CD14" have the same key. Both labels
and the ontology's own names pass through here, so a rule only has to treat the two alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

GREEK = {"α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "ε": " epsilon "}
SIGNS = {"positive": "+", "pos": "+", "negative": "-", "neg": "-"}
LEVELS = {"high": "high", "hi": "high", "low": "low", "lo": "low", "dim": "dim", "bright": "bright"}
RULES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"(?<=[a-z])(?=[A-Z][a-z])", " "),  # AlphaCells
        (r"\b([A-Z]{2,})s\b", r"\1"),  # NKs, DCs
        (r"(?i)\b(t|b|nk|nkt)cells?\b", r"\1 cell"),
        (r"(?i)\b(cd\d+[a-z]?)(bright|dim|high|hi|low|lo|pos|neg)\b", r"\1 \2"),
        (r"(?i)\b(cd\d+[a-z]*[+-]?)\s*/", r"\1 "),  # CD4+/CD25 T is one kind, T/NK are two
        (r"[/&|]|(?<=\s)\+(?=\s)", " and "),
        (r"(?<=\w)\+", " positive "),
        # a hyphen is a minus only behind a marker and before an end: CD25- T, but not CD4-T
        (r"(?i)\b(cd\d+[a-z]*)-(?=$|[\s/,;)]|cd\d)", r"\1 negative "),
        (r"(?i)\bt[\W_]*regs?\b", "treg"),
        (r"(?i)\bt[\W_]*helper[\W_]*(\d+)\b", r"th\1"),
        (r"(?i)\btype[\W_]+iii\b", "type 3"),
        (r"(?i)\btype[\W_]+ii\b", "type 2"),
        (r"(?i)\btype[\W_]+i\b", "type 1"),
    )
)
MARKER = re.compile(r"cd\d+[a-z]{0,2}")  # without sign or level, which are longer


@lru_cache(maxsize=1 << 14)
def label_key(text: str) -> str:
    """Its words, sorted, without case, plural, punctuation and the word "cell"."""
    return " ".join(sorted(word for word in words(text) if word != "cell"))


def words(text: str) -> list[str]:
    """Its words in their order, markers with their sign or level.

    A bare marker means that it is there: "CD4 T", "CD4+ T" and "CD4-positive T" are alike.
    """
    text = unicodedata.normalize("NFKC", text).replace("_", " ")
    for letter, name in GREEK.items():
        text = text.replace(letter, name)
    for pattern, by in RULES:
        text = pattern.sub(by, text)
    out: list[str] = []
    for word in re.findall(r"[a-z0-9]+", text.casefold()):
        if out and word in SIGNS:
            out[-1] += SIGNS[word]
        elif out and word in LEVELS and any(c.isdigit() for c in out[-1]):
            out[-1] += LEVELS[word]
        else:
            out.append(_singular(word))
    return [word + "+" if MARKER.fullmatch(word) else word for word in out]


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
