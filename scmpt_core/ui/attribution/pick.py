"""What of a result is looked at: a type, a method, a way, which cells, how many genes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

from scmpt_core.attribution import Attribution, TypeScores
from scmpt_core.library import Item
from scmpt_core.markers import MarkerDatabase, MarkerGenes, MarkerSet, Match, find_markers
from scmpt_core.ui.attribution.scores import UNIT, method_title, way_title
from scmpt_core.wording import amount

MOST_GENES = 50


@dataclass(frozen=True, eq=False)
class View:
    """A result, and what of it is looked at.

    Parameters
    ----------
    correct_only
        Only cells that the way named right; never where no type is known.
    database, matches
        ``None`` and empty where no database can be used.
    """

    item: Item
    result: Attribution
    type: str
    method: str
    way: str
    correct_only: bool
    k: int
    database: MarkerDatabase | None = None
    matches: Sequence[Match] = ()

    @cached_property
    def scores(self) -> TypeScores | None:
        """Of the type; ``None`` where no cell is left."""
        return self.of(self.way)

    def of(self, way: str) -> TypeScores | None:
        """Of the type, by another way."""
        return self.result.over_seeds(self.method, way, self.type, self.correct_only)

    @cached_property
    def entries(self) -> Mapping[str, MarkerSet]:
        """Type → the entry of what is explained in its cells, if somebody confirmed it."""
        known = {
            match.label: self.database.entry(match.entry)
            for match in self.matches
            if match.confirmed and match.entry is not None
        }
        every = ((name, self.result.explained(name)) for name in self.result.type_names)
        return {name: known[explained] for name, explained in every if explained in known}

    @property
    def entry(self) -> MarkerSet | None:
        """What the type is in the database, if somebody confirmed it."""
        return self.entries.get(self.type)

    @cached_property
    def listed(self) -> MarkerGenes | None:
        """The entry's markers among the genes; ``None``: not known."""
        return None if self.entry is None else find_markers(self.entry, self.result.genes)

    @cached_property
    def markers(self) -> np.ndarray | None:
        """Whether each gene is a marker of the type, (genes,); ``None``: not known."""
        return None if self.listed is None else self.listed.mask(self.result.genes)

    @property
    def cells(self) -> str:
        """Which cells of the type count, in words."""
        return f"cells that {self.way} named right" if self.correct_only else "cells explained"

    @property
    def subject(self) -> str:
        """What is explained, in words: "T", or "B in cells of T"."""
        target = self.result.target
        return self.type if target is None else f"{target} in cells of {self.type}"

    @property
    def unit(self) -> str:
        """Of the scores."""
        target = self.result.target
        return UNIT if target is None else f"score (logit of {target})"

    def mean_words(self, n: int) -> str:
        """Over what the scores are a mean."""
        which = "of the type that the model predicts"
        if self.result.known:
            which = "named right" if self.correct_only else "right and wrong ones"
        seeds = len(self.result.sources(self.method, self.way))
        over = f"{amount(seeds, 'seed')} and " if seeds > 1 else ""
        return f"mean of {over}n = {amount(n, 'cell')} ({which})"

    def file(self, *words: str) -> str:
        """Name of a file that a figure or table is saved as: of the dataset and these words."""
        every = [self.item.meta["dataset_name"].rsplit(".", 1)[0], *words]
        return "_".join(re.sub(r"[^\w+-]+", "-", word).strip("-") for word in every)


def choose_view(item: Item, result: Attribution) -> View:
    """The choices that all tabs share and the link keeps; what is rarely changed comes later."""
    first, second, third = st.columns(3)
    name = _choice(first, "Type", list(result.type_names), "type")
    method = _choice(second, "Method", list(result.methods), "method", method_title)
    way = _choice(
        third, "What was explained", list(result.ways), "way", lambda w: way_title(result, w),
        "The whole model, or the part of its head that reads one encoder alone.",
    )  # fmt: skip
    return View(item, result, name, method, way, False, 10)


def held(key: str, options: Sequence) -> str:
    """The key; what it holds is forgotten where it is none of the options: of another result."""
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    return key


def _choice(place, title: str, options: list[str], key: str, words=str, help=None) -> str:
    return place.selectbox(
        title, options, format_func=words, key=held(key, options), help=help, bind="query-params"
    )


def choose_genes_and_cells(result: Attribution) -> tuple[int, bool]:
    """How many top genes, and whether only cells named right count."""
    k = st.slider("Top genes", 3, min(MOST_GENES, max(len(result.genes), 4)), 10, key="top_k",
                  help="The paper looks at 10.", bind="query-params")  # fmt: skip
    correct = st.toggle(
        "Only cells named right", key="correct_only", disabled=not result.known,
        help="Leaves out cells whose type this way got wrong; compare with all of them.",
    )  # fmt: skip
    if not result.known:
        st.caption(
            "Which cells are named right is not known here: the type explained is what the model "
            "predicts. Explain with a column of known types to see it."
        )
    return k, correct and result.known
