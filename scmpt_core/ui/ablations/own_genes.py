"""The gene-set box: a text area, what to fill it with, and the two ablations of it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.ablations import Request, get_ablation
from scmpt_core.housekeeping import is_housekeeping
from scmpt_core.ui.ablations.gene_set import KEY, find_symbols, read_symbols
from scmpt_core.ui.ablations.send import run_all
from scmpt_core.ui.ablations.sentence import sentence
from scmpt_core.ui.ablations.shown import shown
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.ablations.trial import trial
from scmpt_core.ui.ablations.try_one import LEAST, MOST, SAMPLE, at_once
from scmpt_core.ui.components import guarded, plain

NAMES = ("no-gene-set", "only-gene-set")
SHOWN = 30  # unknown ones named


@st.fragment
def own_genes(subject: Subject, busy: bool) -> None:
    """Name genes; the model reads the cells without them, and nothing but them."""
    _fillings(subject)
    text = st.text_area(
        "Your genes", key=KEY, height=120, placeholder="CD3D CD3E, IL7R; …",
        persist_state="session", help="Symbols, with anything between them.",
    )  # fmt: skip
    symbols = read_symbols(text)
    if not symbols:
        st.info("Name some genes, or fill the box with housekeeping genes.")
        return
    genes, unknown = find_symbols(symbols, subject.cells.genes)
    _found(subject, genes, unknown, len(symbols))
    if not genes:
        return
    left, right = st.columns(2)
    name = left.radio(
        "Ablation", NAMES, key="gene_set_ablation", horizontal=True,
        format_func=lambda n: get_ablation(n).title,
    )  # fmt: skip
    cells = right.slider("Test cells at most", LEAST, MOST, SAMPLE, 20, key="gene_set_cells")
    with guarded():
        if at_once("genes", subject, "Try both"):
            # both are asked at once, so that going from one to the other takes no time
            result = trial(subject, Request(NAMES, cells=cells, gene_set=genes))
            shown(result, name, "", "genes")
            st.markdown("**The sentence before and after**")
            sentence(subject, result, name, "genes")
    run_all(subject, NAMES, genes, "genes", busy, seeded=False)


def _found(subject: Subject, genes: frozenset[str], unknown: list[str], named: int) -> None:
    """How many of the genes the file has, and the model reads."""
    read = len(genes & subject.model_genes)
    text = f"{len(genes):,} of {named:,} are in the file; the model reads {read:,} of them."
    if unknown:
        more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
        text += f" Unknown here: {', '.join(unknown[:SHOWN])}{more}."
    st.caption(plain(text))


def _fillings(subject: Subject) -> None:
    """What the box can be filled with."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Fill in housekeeping genes", key="fill_housekeeping", icon=":material/home:",
            on_click=_fill, args=(_housekeeping(subject.cells.genes),),
            help="Ribosomal and mitochondrial genes, MALAT1, EEF1 and TPT1, as far as the file has "
            "them.",
        )  # fmt: skip
        told = {
            name: sorted(genes)
            for name, genes in zip(subject.config["classes"], subject.markers or (), strict=False)
            if genes
        }
        if told:
            name = st.selectbox("Markers of", list(told), key="fill_type", width=260)
            st.button("Fill in its markers", key="fill_markers", icon=":material/biotech:",
                      on_click=_fill, args=(told[name],))  # fmt: skip
        else:
            st.caption("With known markers switched on above, a type's markers can be filled in.")


def _housekeeping(genes: np.ndarray) -> list[str]:
    return genes[is_housekeeping(genes)].tolist()


def _fill(genes: list[str]) -> None:
    st.session_state[KEY] = " ".join(genes)
