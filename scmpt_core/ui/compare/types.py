"""Types: which are taken for which, how well each is found, and the surest mistakes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from scmpt_core import plots
from scmpt_core.evaluation import (
    StoredComparison,
    cells_tested,
    class_table,
    ranked,
)
from scmpt_core.evaluation import mistakes as surest_mistakes
from scmpt_core.ui.compare.cells import cell_table
from scmpt_core.ui.compare.models import against, row_of
from scmpt_core.ui.components import plain, plot

MOST = 100  # mistakes listed


def confusion(result: StoredComparison, model: str) -> None:
    """Which types one model takes for which; and where another differs."""
    order = result.order
    names = [result.classes[i] for i in order]
    mine = result.confusions[model][np.ix_(order, order)]
    n, runs = f"{int(mine.sum()):,}", result.summary["split"]["runs"]
    plot(
        plots.confusion(mine, names, model), "confusion",
        f"Rows: true type; n = {n} test cells over {runs} split(s). Types that models confuse "
        "stand together.",
        wide=True,
    )  # fmt: skip
    st.markdown("**Where another model differs**")
    other = against("Other model", result, model, list(result.confusions))
    if other is None:
        return
    theirs = result.confusions[other][np.ix_(order, order)]
    plot(
        plots.confusion_difference(mine, theirs, names, (model, other)), "confusion_difference",
        f"Share of each true type that {model} gives to a label, less that of {other}, in points "
        f"of 100; the same n = {n} test cells. Blue: {model} more often, red: {other}. On the "
        "diagonal blue is better, off it worse. Empty: no difference.",
        wide=True,
    )  # fmt: skip


def per_type(result: StoredComparison, model: str) -> None:
    """F1 of each type under each model; then one model in full."""
    rows = ranked(result.summary["models"])
    names = [result.classes[i] for i in result.order]
    f1 = [[_number(row["per_class"][c]["f1"]["mean"]) for c in names] for row in rows]
    found = [rows[0]["per_class"][c]["support"] for c in names]
    cells = [round((s["mean"] or 0) * s["n"]) for s in found]
    plot(
        plots.class_scores(np.array(f1), [r["name"] for r in rows], names, cells), "class_scores",
        "F1 of each type, mean over the splits that test it; 0–1, darker is better. In brackets: "
        "test cells over all splits. Models by falling macro F1, baselines below; types that "
        "models confuse stand together.",
        wide=True,
    )  # fmt: skip
    st.markdown(f"**{plain(model)}, type by type**")
    st.caption("The hardest first; means over splits, 0–1, higher is better.")
    bar = {k: st.column_config.ProgressColumn(k, min_value=0, max_value=1, format="%.2f")
           for k in ("precision", "recall", "f1")}  # fmt: skip
    st.dataframe(class_table(row_of(result, model)), hide_index=True, column_config=bar)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def mistakes(result: StoredComparison, model: str) -> None:
    """Test cells that were labelled wrongly with the highest probability."""
    wrong = surest_mistakes(result, model)
    if not len(wrong):
        st.success(
            f"{plain(model)} labelled all {len(cells_tested(result)):,} test cells of the first "
            "split right."
        )
        return
    st.caption(
        f"Wrong labels that the model was surest of (test cells of the first split: {len(wrong):,} "
        f"are wrong, at most {MOST} are listed). A wrong true label looks the same."
    )
    table = cell_table(result, model, wrong[:MOST])
    st.dataframe(table.drop(columns="part"), hide_index=True)
