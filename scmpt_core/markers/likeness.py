"""How much a label looks like the names of entries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from scmpt_core.ontology.terms import spelt_out
from scmpt_core.ontology.words import words

FITTED = 8  # databases whose names are kept in memory


def likeness(label: str, names: Sequence[str]) -> np.ndarray:
    """Cosine of the character n-grams (2 to 4, TF-IDF) shared with each name, (names,), 0…1.

    The better of the label as it is and with abbreviations written out, as in
    :func:`scmpt_core.ontology.suggest_terms`.
    """
    if not len(names):
        return np.empty(0)
    vectoriser, matrix = _fitted(tuple(names))
    queries = vectoriser.transform([_text(label), _text(spelt_out(label))])
    return (matrix @ queries.T).toarray().max(axis=1)


@lru_cache(maxsize=FITTED)
def _fitted(names: tuple[str, ...]) -> tuple:
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    return vectoriser, vectoriser.fit_transform([_text(name) for name in names])


def _text(label: str) -> str:
    # "cell" is in nearly every name; a label of nothing else keeps it
    kept = [word for word in words(label) if word != "cell"]
    return " ".join(kept) or "cell"
