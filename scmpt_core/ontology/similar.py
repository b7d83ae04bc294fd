"""Cell types whose names look like a label, for a person to choose from."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from scmpt_core.ontology.reading import read_label
from scmpt_core.ontology.terms import Term, human_terms, name_of, spelt_out
from scmpt_core.ontology.words import words

MIN_LIKENESS = 0.3  # "zzzqq" reaches 0.23, "dentritic cel" 0.49


def suggest_terms(label: str, n: int = 5) -> list[Term]:
    """At most ``n`` cell types, the likeliest first; what :func:`read_label` finds leads.

    Likeness is the cosine of the character n-grams (2 to 4, TF-IDF) that the label shares with a
    name or synonym, the better of the label as it is and with abbreviations written out. Types
    less alike than 0.3 are left out. A label that names no type ("doublets") has none.
    """
    reading = read_label(label)
    if reading.kind == "no type":
        return []
    vectoriser, matrix, ids = _grams()
    queries = [_text(text) for text in (label, spelt_out(label))]
    likeness = (matrix @ vectoriser.transform(queries).T).toarray().max(axis=1)  # (texts,)
    out = {term.id: term for term in reading.terms + reading.wider}
    for position in np.argsort(-likeness, kind="stable"):
        if len(out) >= n or likeness[position] < MIN_LIKENESS:
            break
        term = ids[position]
        out.setdefault(term, Term(term, name_of(term), "similar"))
    return list(out.values())[:n]


@lru_cache
def _grams() -> tuple[TfidfVectorizer, sp.csr_matrix, list[str]]:
    """The fitted vectoriser, (texts, n-grams) of all names and synonyms, and their ids."""
    texts, ids = [], []
    for term, record in human_terms().items():
        for text in (record["label"], *record.get("synonyms", ())):
            texts.append(_text(text))
            ids.append(term)
    # any non-space run is a word: "cd4+" keeps its sign
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), dtype=np.float32)
    return vectoriser, vectoriser.fit_transform(texts), ids


def _text(label: str) -> str:
    return " ".join(word for word in words(label) if word != "cell")
