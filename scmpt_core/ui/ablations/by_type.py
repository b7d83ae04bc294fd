"""Which types each ablation costs."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core.ablations import board as most_costly
from scmpt_core.plots import ablations as figures
from scmpt_core.ui.ablations.keep import View, types_of
from scmpt_core.ui.components import plain, plot

RECALL, FLIPPED = "drop in recall", "share of labels that flip"


def by_type(view: View) -> None:
    """Types against ablations, the most costly first."""
    rows = most_costly(view.rows, view.regime, view.way)
    if not rows:
        st.info(f"{plain(view.way)} reads nothing of what was changed.")
        return
    what = FLIPPED
    if view.result.known:
        what = st.radio("Shown", [RECALL, FLIPPED], key="type_measure", horizontal=True)
    found = types_of(view.item, tuple(rows))
    values = np.array([[_value(t, what) for t in types] for types in found]).T
    first = found[0]
    plot(
        figures.type_heat(
            values, [t.type for t in first], [t.n for t in first], [r.title for r in rows],
            what == RECALL,
        ),
        "type_heat",
        f"{what.capitalize()} of {view.way}, {view.regime}: types with their tested cells against "
        "ablations, the most costly first"
        + (". Orange: worse; blue: better." if what == RECALL else ". Darker: more."),
        wide=True,
    )  # fmt: skip
    if view.beside:
        st.caption(f"Shown is {view.regime}; choose {view.beside} above to see it.")


def _value(row: object, what: str) -> float:
    return row.recall_drop if what == RECALL else row.flipped
