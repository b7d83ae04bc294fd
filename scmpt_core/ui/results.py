"""Finished results of a dataset: which one is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.state import library, owner


def results_of(kind: str, item: Item | None, named: Item | None) -> list[Item]:
    """Those of the open dataset, the newest first; or the one in the link, its dataset gone."""
    mine = library().list(owner(), kind)
    mine = [r for r in mine if item is not None and r.meta["dataset"] == item.id]
    return mine if named is None or named.id in {r.id for r in mine} else [named]


def choose_result(
    results: list[Item], named: Item | None, parameter: str, label: str,
    described: Callable[[Item], str],
) -> Item:  # fmt: skip
    """The one in the link, or the newest; another can be chosen.

    Parameters
    ----------
    parameter
        Of the link, which then holds the id.
    described
        In a line. No "… ago": Streamlit tells options apart by their words, so they must stay.
    """
    ids = [r.id for r in results]
    at = ids.index(named.id) if named is not None else 0
    if len(ids) > 1:
        words = {r.id: f"{described(r)} [{r.id[:4]}]" for r in results}  # no two may be alike
        chosen = st.selectbox(
            label, ids, at, words.__getitem__, key=f"{parameter}_other_than_{ids[at]}"
        )
        if chosen != ids[at]:
            st.query_params[parameter] = chosen
            st.rerun()
    if parameter not in st.query_params:  # an unfinished job's place is kept
        st.query_params[parameter] = ids[at]
    return results[at]


def made(result: Item) -> str:
    """When."""
    return time.strftime("%d %b %Y %H:%M", time.localtime(result.created))
