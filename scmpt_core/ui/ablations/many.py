"""Run many: which ablations, regimes, strengths, draws and cells, with what it costs."""

from __future__ import annotations

import streamlit as st

from scmpt_core.ablations import ABLATIONS, FAMILIES, PAPERS, get_ablation
from scmpt_core.ui.ablations.gene_set import chosen_genes
from scmpt_core.ui.ablations.send import choose_regimes, send
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.ablations.words import TITLES
from scmpt_core.ui.components import plain

PAPERS_THREE, EVERY, OWN = "The paper's three", "All", "your own choice"
PRESETS = {
    PAPERS_THREE: list(PAPERS),
    EVERY: [info.name for info in ABLATIONS],
    **{f.capitalize(): [i.name for i in ABLATIONS if i.family == f] for f in FAMILIES},
}
_NAMES, _PRESET = "ablation_names", "ablation_preset"


def many(subject: Subject, busy: bool) -> None:
    """The form; what it leaves out is said beforehand."""
    st.session_state.setdefault(_NAMES, PRESETS[EVERY])
    left, right = st.columns([1, 2])
    with left:
        st.selectbox("Preset", [*PRESETS, OWN], 1, key=_PRESET, on_change=_preset)
    with right:
        regimes = choose_regimes(subject, "many")
    names = st.multiselect(
        "Ablations", list(TITLES), key=_NAMES, format_func=TITLES.__getitem__, on_change=_own,
        persist_state="session",
    )  # fmt: skip
    first, second, third = st.columns([2, 1, 1], vertical_alignment="bottom")
    curve = first.toggle(
        "Whole curves", key="ablation_curve",
        help="Every strength of each ablation that has one, not only its usual strength.",
    )  # fmt: skip
    seeded = any(get_ablation(name).seeded for name in names)
    seeds = second.number_input(
        "Draws", 1, 20, 1, key="ablation_seeds", disabled=not seeded,
        help="Ablations that draw at random run this often; the spread is shown.",
    )  # fmt: skip
    cells = third.number_input(
        "Test cells at most", 1, None, None, key="ablation_cells", placeholder="all"
    )
    genes = chosen_genes(subject)
    able, left_out = _sorted(subject, names, genes)
    if left_out:
        st.caption(plain(f"Left out: {'; '.join(left_out)}."))
    settings = {
        "ablations": able, "regimes": regimes, "curve": curve,
        "seeds": int(seeds) if seeded else 1, "cells": None if cells is None else int(cells),
        "gene_set": sorted(genes),
    }  # fmt: skip
    send(subject, settings, f"Run {len(able)} ablations", "run_many", busy)


def _sorted(
    subject: Subject, names: list[str], genes: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Those that can be made, in the order of the registry, and why the others cannot."""
    able, left_out = [], {}
    for info in ABLATIONS:
        if info.name in names:
            why = subject.lacking(info, genes)
            if why is None:
                able.append(info.name)
            else:
                left_out.setdefault(why, []).append(info.title)
    return able, [f"{', '.join(titles)} ({why})" for why, titles in left_out.items()]


def _preset() -> None:
    chosen = st.session_state[_PRESET]
    if chosen in PRESETS:
        st.session_state[_NAMES] = PRESETS[chosen]


def _own() -> None:
    names = sorted(st.session_state[_NAMES])
    alike = [preset for preset, each in PRESETS.items() if sorted(each) == names]
    st.session_state[_PRESET] = alike[0] if alike else OWN
