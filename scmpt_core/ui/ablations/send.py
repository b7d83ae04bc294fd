"""Queue ablations on all cells."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from scmpt_core.ablations import REGIMES
from scmpt_core.jobs import submit
from scmpt_core.ui.ablations.cost import cost_words
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.components import guarded
from scmpt_core.ui.state import library, owner

WHY_A_JOB = (
    "fixed asks the model as it was trained. refit fits its head anew on perturbed training cells "
    "for every perturbation, as one would who only ever had such cells: all training cells are "
    "read again each time, so it runs as a job. What costs much under fixed and little under refit "
    "is not needed to tell the types; the head was only never shown its absence."
)


def choose_regimes(subject: Subject, place: str) -> list[str]:
    """Fixed, refit or both."""
    why = subject.why_no_refit
    chosen = st.multiselect(
        "Regimes", list(REGIMES), ["fixed"], key=f"regimes_{place}",
        format_func=lambda name: f"{name}: {REGIMES[name]}", help=WHY_A_JOB,
    )  # fmt: skip
    if "refit" in chosen and why is not None:
        st.warning(f"refit is left out: {why}.")
        return [name for name in chosen if name != "refit"]
    return chosen


def run_all(
    subject: Subject, names: Sequence[str], genes: frozenset[str], place: str, busy: bool,
    seeded: bool,
) -> None:  # fmt: skip
    """The same ablations on all test cells, over their whole curves, as a job."""
    with st.expander("Run on all cells", key=f"all_{place}"):
        regimes = choose_regimes(subject, place)
        seeds = st.number_input(
            "Draws", 1, 20, 3, key=f"seeds_all_{place}", disabled=not seeded,
            help="Ablations that draw at random run this often; the spread is shown.",
        )  # fmt: skip
        settings = {
            "ablations": list(names), "regimes": regimes, "curve": True,
            "seeds": int(seeds) if seeded else 1, "cells": None, "gene_set": sorted(genes),
        }  # fmt: skip
        send(subject, settings, "Run on all cells", f"run_all_{place}", busy)
        st.caption(f"Every strength of its curve. {WHY_A_JOB}")


def send(subject: Subject, settings: dict, label: str, key: str, busy: bool) -> None:
    """The button, and what it will cost; the result will bear the job's id."""
    ready = bool(settings["regimes"] and settings["ablations"])
    why = "Runs already." if busy else None if ready else "Choose an ablation and a regime first."
    if st.button(label, type="primary", key=key, icon=":material/content_cut:",
                 disabled=busy or not ready, help=why):  # fmt: skip
        with guarded():
            job = submit(library().home, owner(), "ablate", subject.settings | settings)
            st.query_params["ablation"] = job.id
            st.query_params.pop("model", None)
            st.rerun(scope="app")
    if ready:
        st.caption(cost_words(subject, settings))
