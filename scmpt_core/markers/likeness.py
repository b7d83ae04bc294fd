"""How much a label looks like the names of entries."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from scmpt_core.ontology.terms import spelt_out
from scmpt_core.ontology.words import words

FITTED = 8  # databases whose names are kept in memory
LEAST = 0.3  # of the n-grams, as of the ontology's suggestions
LEAST_START = 3  # letters of a word that stand for it: "oligo"
LEAST_TYPO, SPELLING = 5, 0.8  # letters of a word that may be misspelt, and the share that is not
LITTLE = {"cell", "and", "or", "of", "the", "in", "type", "like"}  # say nothing by themselves


def likeness(label: str, names: Sequence[str]) -> np.ndarray:
    """How much ``label`` looks like each name, (names,), 0…1; 0: not at all.

    Every word of the one must look like a word of the other: be the same, be its start, or
    differ by a slip of the pen. Shared n-grams alone say nothing: "doublet" is no goblet cell.
    Then it is the cosine of the character n-grams (2 to 4, TF-IDF), from 0.3 on, the better of
    the label as it is and with abbreviations written out.
    """
    if not len(names):
        return np.empty(0)
    vectoriser, matrix, known = _fitted(tuple(names))
    texts = [_text(label), _text(spelt_out(label))]
    cosine = (matrix @ vectoriser.transform(texts).T).toarray()  # (names, texts)
    allowed = np.array([[_alike(text, name) for text in texts] for name in known])
    found = (cosine * allowed).max(axis=1)
    return np.where(found >= LEAST, found, 0)


def _alike(one: str, other: str) -> bool:
    """Whether all words of either look like words of the other; numbers are none."""
    here, there = _telling(one), _telling(other)
    if not (here and there):
        return False
    return all(any(_same(w, v) for v in there) for w in here) or all(
        any(_same(v, w) for w in here) for v in there
    )


def _telling(text: str) -> list[str]:
    return [word for word in text.split() if word not in LITTLE and not word.isdigit()]


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if one == other or (len(short) >= LEAST_START and long.startswith(short)):
        return True
    if len(short) < LEAST_TYPO or one[0] != other[0]:
        return False
    return SequenceMatcher(None, one, other).ratio() >= SPELLING


@lru_cache(maxsize=FITTED)
def _fitted(names: tuple[str, ...]) -> tuple:
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    texts = [_text(name) for name in names]
    return vectoriser, vectoriser.fit_transform(texts), texts


def _text(label: str) -> str:
    # "cell" is in nearly every name; a label of nothing else keeps it
    kept = [word for word in words(label) if word != "cell"]
    return " ".join(kept) or "cell"
