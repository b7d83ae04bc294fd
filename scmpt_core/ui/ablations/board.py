"""All ablations by what they cost, and the paper's figures beside those that were refitted."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from scmpt_core.ablations import PAPERS, curve, get_ablation, unperturbed
from scmpt_core.ablations import board as most_costly
from scmpt_core.plots import ablations as figures
from scmpt_core.ui.ablations.keep import View
from scmpt_core.ui.components import plain, plot


def board(view: View) -> None:
    """A bar an ablation."""
    rows = most_costly(view.rows, view.regime, view.way)
    if not rows:
        st.info(f"{plain(view.way)} reads nothing of what was changed.")
        return
    beside = most_costly(view.rows, view.beside, view.way) if view.beside else []
    known, n = rows[0].macro_f1_drop is not None, rows[0].n
    what = "Drop in macro F1" if known else "Share of labels that flip"
    whiskers = (
        f"; whiskers: 95 % intervals, bootstrap over {rows[0].interval.n:,} {rows[0].interval.unit}"
        if rows[0].interval is not None else ""
    )  # fmt: skip
    plot(
        figures.board(rows, beside), "board",
        f"{what} of {view.way} on n = {n:,} cells, each ablation at its usual strength, the most "
        f"costly first{whiskers}. Colours: kinds of ablation. "
        + (f"Plain bars: {view.regime}; hatched: {view.beside}." if beside
           else f"Regime: {view.regime}."),
        wide=True,
    )  # fmt: skip
    if "refit" in view.result.regimes:
        _paper(view)
    elif any(row.ablation in PAPERS for row in rows):
        st.caption("The paper's figures are shown beside refit, which was not run here.")


def _paper(view: View) -> None:
    """What the paper reports, beside the same ablations here."""
    before = {
        u["regime"]: u["accuracy"]
        for u in unperturbed(view.result)
        if u["way"] == view.way and u["accuracy"] is not None
    }
    told = []
    for name, paper in PAPERS.items():
        here = {}
        for regime in before:
            found = curve(view.rows, name, regime, view.way)
            usual = [r for r in found if r.strength == get_ablation(name).strength.default]
            if usual or found:
                row = (usual or found)[-1]
                here[f"here, {regime}"] = f"{before[regime]:.3f} → {row.accuracy:.3f}"
        if here:
            told.append({"ablation": get_ablation(name).title, **here, "the paper": paper})
    if not told:
        return
    st.markdown(f"**Beside the paper: accuracy of {plain(view.way)}**")
    st.dataframe(pd.DataFrame(told), hide_index=True, key="paper",
                 alt="Accuracy before and after the paper's three ablations.")  # fmt: skip
    st.caption(
        "The paper's figures are of another dataset and another encoder: Aorta with Ember-V1, "
        "probably with refitted heads (arXiv 2507.10039). They stand beside refit, as what comes "
        "closest, and are no yardstick for these cells."
    )
