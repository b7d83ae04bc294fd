"""Each encoder alone and all fused: where they agree, who is right where they do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.evaluation import Agreement, Case, StoredComparison, agreement_of
from scmpt_core.library import Item
from scmpt_core.ui.compare.cells import MAX_LISTED, select

ANY = "any disagreement"


def agreement(item: Item, result: StoredComparison) -> None:
    """The cases as a table, then the cells themselves."""
    found = agreement_of(result)
    if found is None:
        st.info(
            "Agreement needs two encoders or more and their recommended fusion; this comparison "
            "has one encoder."
        )
        return
    same = found.cases[0]
    text = (
        f"All {len(found.models)} models give the same label to **{100 * same.share:.1f} %** of "
        f"the {len(found.rows):,} test cells of the first split"
    )
    if same.n:
        text += f", and are right on {_accuracy(same, found.models[0])} of these"
    st.markdown(f"{text}.")
    st.dataframe(
        pd.DataFrame([_row(case, found.models) for case in found.cases]), hide_index=True,
        key="agreement",
        alt="How often the models agree, and the accuracy of each in each case.",
        column_config={"share (%)": st.column_config.NumberColumn(format="%.1f")},
    )  # fmt: skip
    st.caption(
        "Each encoder alone is judged by a logistic regression on its vectors. Under each model: "
        "its accuracy on the cells of the case, with Wilson's 95 % interval."
    )
    _disputed(item, result, found)


def _row(case: Case, models: tuple[str, ...]) -> dict:
    row = {"case": case.name, "test cells": case.n, "share (%)": 100 * case.share}
    return row | {model: _accuracy(case, model) for model in models}


def _accuracy(case: Case, model: str) -> str:
    interval = case.accuracy(model)
    if interval is None:
        return "–"
    share, low, high = (100 * x for x in (case.right[model] / case.n, interval.low, interval.high))
    return f"{share:.0f} % ({low:.0f} to {high:.0f})"


def _disputed(item: Item, result: StoredComparison, found: Agreement) -> None:
    """Cells of one case, the most certain first; chosen rows stand out on the maps."""
    st.markdown("**Cells on which they disagree**")
    name = st.selectbox("Cells where", [ANY, *found.names[1:]], key="case")
    rows = found.apart(None if name == ANY else name)
    if not len(rows):
        st.info("There are none.")
        return
    shown = rows[:MAX_LISTED]
    state = st.dataframe(
        _labels(result, found, shown), hide_index=True, key=f"disputed_{item.id}_{name}",
        on_select="rerun", selection_mode="multi-row",
        alt="Test cells with the label that each model gives.",
        column_config={"certainty": st.column_config.NumberColumn(
            format="%.2f", help="Mean of the probabilities that the models give to their labels.")},
    )  # fmt: skip
    picked = [i for i in state["selection"]["rows"] if i < len(shown)]
    chosen = shown[picked] if picked else rows
    which = f"the {len(picked)} chosen" if picked else f"all {len(rows):,}"
    st.button(
        f"Show {which} on the maps", key="to_maps", icon=":material/scatter_plot:",
        on_click=_to_maps, args=(item, chosen),
    )  # fmt: skip
    more = f"The first {MAX_LISTED:,} are listed. " if len(rows) > MAX_LISTED else ""
    st.caption(f"{more}The most certain first. Choose rows to show these alone.")


def _labels(result: StoredComparison, found: Agreement, rows: np.ndarray) -> pd.DataFrame:
    """Cells, the true type, and what each model says."""
    certainty = dict(zip(found.rows.tolist(), found.certainty.tolist(), strict=True))
    columns = {
        "cell": result.ids[rows],
        "certainty": [certainty[row] for row in rows.tolist()],
        "true type": result.names(result.truth[rows]),
    }
    return pd.DataFrame(
        columns | {m: result.names(result.predicted[m][rows]) for m in found.models}
    )


def _to_maps(item: Item, rows: np.ndarray) -> None:
    """Bring these cells out on the maps, and open them."""
    select(item, np.sort(rows))
    st.session_state["view"] = "Maps"
