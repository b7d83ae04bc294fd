"""What of a result is looked at: a type, a method, a way, which cells, how many genes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

from scmpt_core.attribution import Attribution, TypeScores
from scmpt_core.library import Item
from scmpt_core.markers import MarkerDatabase, MarkerSet, Match, find_markers
from scmpt_core.ui.attribution.scores import method_title, way_title

MOST_GENES = 50


@dataclass(frozen=True, eq=False)
class View:
    """A result, and what of it is looked at.

    Parameters
    ----------
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
    def entry(self) -> MarkerSet | None:
        """What the type is in the database, if somebody confirmed it."""
        for match in self.matches:
            if match.label == self.type and match.confirmed and match.entry is not None:
                return self.database.entry(match.entry)
        return None

    @cached_property
    def markers(self) -> np.ndarray | None:
        """Whether each gene is a marker of the type, (genes,); ``None``: not known."""
        return None if self.entry is None else find_markers(
            self.entry, self.result.genes
        ).mask(self.result.genes)  # fmt: skip

    @property
    def cells(self) -> str:
        """Which cells of the type count, in words."""
        return f"cells that {self.way} named right" if self.correct_only else "cells explained"


def choose_view(item: Item, result: Attribution) -> View:
    """The choices that all tabs share."""
    first, second, third = st.columns(3)
    name = first.selectbox("Type", result.type_names, key=f"type_{item.id}")
    method = second.selectbox(
        "Method", result.methods, format_func=method_title, key=f"method_{item.id}"
    )
    way = third.selectbox(
        "What was explained", result.ways, format_func=lambda w: way_title(result, w),
        key=f"way_{item.id}",
        help="The whole model, or the part of its head that reads one encoder alone.",
    )  # fmt: skip
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    k = left.slider("Top genes", 3, min(MOST_GENES, max(len(result.genes), 4)), 10, key="top_k",
                    help="The paper looks at 10.")  # fmt: skip
    correct = right.toggle(
        "Only cells named right", key="correct_only",
        help="Leaves out cells whose type this way got wrong; compare with all of them.",
    )  # fmt: skip
    return View(item, result, name, method, way, correct, k)
