"""The robustness card of the chosen model: made here, kept beside it, shown wherever it is."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from scmpt_core import plots
from scmpt_core.ablations import ABLATIONS, AblationInfo
from scmpt_core.fusion import read_config
from scmpt_core.jobs import submit
from scmpt_core.library import Item
from scmpt_core.robustness import Card, Held, load_card
from scmpt_core.ui.classify.models import Offer
from scmpt_core.ui.components import guarded, plain, plot
from scmpt_core.ui.state import library, owner

WHAT = (
    "How the model stands up to cells unlike its own, with Unknown switched on by the usual rule: "
    "sequenced less deeply, fewer genes measured, genes lost; every type held back from training "
    "once; and, where it was trained with groups, training on one group alone."
)

AS_IT_IS = "as it is"  # cells that nothing was done to


def robustness(item: Item, offer: Offer, busy: bool) -> None:
    """The card, or what it is and, of one's own model, the button that makes it."""
    card = load_card(offer.folder)
    if card is not None:
        show(card)
    else:
        st.caption(WHAT)
    if offer.reference is not None:
        st.caption(_of_reference(card))
        st.info("You can make a card of models that you saved.")
        return
    trained = read_config(offer.folder)["dataset"]
    st.caption(
        f"It is made from the cells that the model was trained on: {plain(trained)}. New models "
        "are trained for it, one for each type, so it takes some minutes."
    )
    word = "Make the card" if card is None else "Make it again"
    if st.button(word, key="robustness", icon=":material/shield:", disabled=busy,
                 help="Runs already." if busy else None):  # fmt: skip
        with guarded():
            submit(library().home, owner(), "robustness",
                   {"dataset": item.id, "view": item.meta["view"], **offer.settings})  # fmt: skip
            st.rerun()


def _of_reference(card: Card | None) -> str:
    """What the card of a model that ships was made from, or how it is made."""
    if card is None:
        return (
            "This model ships with scMPT, but its card is not here. Whoever has the studies that "
            "it was trained on makes it with `scripts/reference_robustness.py`."
        )
    studies = plain(", ".join(card.about["studies"]))
    return (
        f"This model ships with scMPT; its card was made of its own studies ({studies}), not of "
        "the cells that are open here. For the card new models like it were trained: without each "
        "study in turn, which they were then asked about, as it is and shifted; on all studies "
        "without one type, so that they had seen other cells of the same studies; and on each "
        "study alone, asked about all cells of the others, types that it lacks among them. At most "
        f"{card.about['cells_a_type']} cells of each type and study were asked about."
    )


def show(card: Card) -> None:
    """What it says in sentences, then each kind of trial as bars, and all numbers."""
    st.markdown("\n".join(f"- {plain(text)}" for text in card.sentences()))
    shifts, unseen, groups = (card.of(k) for k in ("shift", "unseen type", "one group"))
    for name in dict.fromkeys(trial.name for trial in shifts):
        there = [t for t in shifts if t.name == name]
        mine = [replace(card.plain, outcome=card.unperturbed(there[0])), *there]
        at = _ablation(name).strength
        st.markdown(f"**{name}**" + (f", by {at.what}" if at else ""))
        _bars(mine, [_strength(t) for t in mine], "", f"robust_{name}",
              f"What becomes of {mine[0].outcome.n:,} test cells.{_refusals(mine)}")  # fmt: skip
    if unseen:
        st.markdown("**Types held back from training**")
        _bars(unseen, [t.name for t in unseen], "type held back", "robust_types",
              "Cells of a type that training lacked: no label can be right, so all should be "
              "Unknown.")  # fmt: skip
    if groups:
        st.markdown(f"**Trained on one {plain(str(card.about['group']))} alone**")
        _bars(groups, [t.name for t in groups], "trained on", "robust_groups",
              "Trained on one group alone, asked about the cells of all others.")  # fmt: skip
    for what, why in card.about["left_out"].items():
        st.caption(f"Not tried: {plain(what)}, {plain(why)}.")
    table = pd.DataFrame([_row(trial) for trial in card.trials])
    st.download_button("All numbers (.csv)", table.to_csv(index=False), "robustness.csv",
                       "text/csv", key="robustness_csv", icon=":material/download:")  # fmt: skip


def _bars(trials: list[Held], names: list[str], y: str, key: str, caption: str) -> None:
    outcomes = [vars(trial.outcome) for trial in trials]
    plot(plots.outcomes(outcomes, names, y), key.replace(" ", "_"), caption)


def _refusals(trials: list[Held]) -> str:
    """At which strengths the model would refuse the file, or which of several files."""
    refused = [_strength(t) for t in trials if t.refused]
    told = f" The model would refuse such a file at {', '.join(refused)}." if refused else ""
    files = {name: [] for t in trials for name in t.refusals}
    for trial in trials:
        for name in trial.refusals if not trial.refused else ():
            files[name].append(_strength(trial))
    for name, at in files.items():
        if at:
            where = f"at {', '.join(at)}" if AS_IT_IS not in at else f"even {AS_IT_IS}"
            told += f" It would refuse that of {plain(name)} {where}."
    return told


def _strength(trial: Held) -> str:
    if trial.strength is None:
        return AS_IT_IS if trial.kind == "as trained" else "yes"
    return _ablation(trial.name).strength.show(trial.strength)


def _ablation(title: str) -> AblationInfo:
    return next(info for info in ABLATIONS if info.title == title)


def _row(trial: Held) -> dict:
    known, base = trial.known, trial.base
    return {
        "kind": trial.kind, "trial": trial.name, "strength": trial.strength,
        "cells": trial.outcome.n, "unknown": trial.outcome.all_unknown,
        "wrong": trial.outcome.wrong, "right_if_all_named": trial.outcome.forced,
        "known_cells": None if known is None else known.n,
        "known_unknown": None if known is None else known.all_unknown,
        "known_wrong": None if known is None else known.wrong,
        "unperturbed_wrong": None if base is None else base.wrong,
        "refused": trial.refused, "refused_files": ", ".join(trial.refusals),
        **{f"unknown: {k}": v for k, v in trial.outcome.unknown.items()},
    }  # fmt: skip
