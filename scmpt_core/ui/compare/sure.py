"""Calibration: do a model's probabilities mean what they say, and what do label sets cover."""

from __future__ import annotations

import streamlit as st

from scmpt_core import plots
from scmpt_core.calibration import Bin
from scmpt_core.evaluation import StoredComparison, cells_tested, coverage_table, threshold_costs
from scmpt_core.ui.compare.models import row_of
from scmpt_core.ui.components import plain, plot

FEW = 500  # test cells; below, much of the calibration error is chance


def calibration(result: StoredComparison, model: str) -> None:
    """Reliability and what a threshold costs, side by side; then the label sets."""
    row, split = row_of(result, model), result.summary["split"]
    bins = [Bin.from_json(b) for b in row["reliability"]]
    n = sum(b.n for b in bins)
    _error(row, n)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Are the probabilities honest?**")
        lean = "" if split["group"] is None else (
            f" Cells of one {split['group']} are not independent, so the true intervals are wider."
        )  # fmt: skip
        plot(
            plots.reliability_diagram(bins), "reliability",
            f"{plain(model)}, {n:,} test cells of the first repeat, in bins of their probability, "
            f"with Wilson intervals; below, cells a bin. Under the line: too sure.{lean}",
        )  # fmt: skip
    with right:
        st.markdown("**What does a threshold cost?**")
        plot(
            plots.threshold_curve(*threshold_costs(result, model)), "threshold",
            f"Were labels below a probability called Unknown: share of the "
            f"{len(cells_tested(result)):,} test cells of the first split that keep theirs, and "
            "share of wrong ones among these.",
        )  # fmt: skip
    if row["conformal"] is not None:
        _sets(row["conformal"], split["group"])


def _error(row: dict, n: int) -> None:
    """Calibration error before and after the temperature."""
    before, after = row["ece"]["before"], row["ece"]["after"]
    with st.container(horizontal=True, gap="large"):
        for label, metric in (("before", before), ("after", after)):
            spread = "" if metric["sd"] is None else f" ± {metric['sd']:.3f}"
            st.metric(f"Calibration error {label}", f"{metric['mean']:.3f}{spread}",
                      width="content")  # fmt: skip
    text = (
        "Expected calibration error: how far probabilities are from the shares labelled right, "
        f"0–1, lower is better; mean (± sd) of {after['n']} split(s), before and after one "
        "temperature was fitted on cells kept apart."
    )
    if n < FEW:
        text += f" With {n:,} test cells, fewer than {FEW}, much of it is chance."
    st.caption(text)


def _sets(found: dict, group: str | None) -> None:
    """Label sets: asked and reached coverage, size, by class and by group."""
    st.markdown("**Label sets: every type that cannot be ruled out**")
    calibrated = f"{found['calibration_cells']['mean']:,.0f} calibration cells"
    if not found["attainable"]:
        st.warning(f"{calibrated} are too few for {found['asked']:.0%}: some sets hold every type.")
    with st.container(horizontal=True, gap="large"):
        for label, text in (
            ("Coverage asked", f"{found['asked']:.0%}"),
            ("Coverage reached", f"{found['coverage']['mean']:.1%}{_sd(found['coverage'])}"),
            ("of the exact sets", f"{found['exact']['mean']:.1%}{_sd(found['exact'])}"),
            ("Labels a set", f"{found['mean_size']['mean']:.2f}"),
            ("Sets of one label", f"{found['singletons']['mean']:.1%}"),
        ):
            st.metric(label, text, width="content")
    tested = sum(part["cells"] for part in found["per_class"].values())
    st.caption(
        f"Mean (± sd) of {found['coverage']['n']} split(s); {tested:,} test cells in all, "
        f"{calibrated} a split. What is asked "
        "holds on average over all cells like those of training; by type"
        f"{'' if group is None else f' and by {plain(group)}'} it is reported, not promised. Sets "
        "are never empty, so they cover at least what the exact ones do."
    )
    parts = [("type", found["per_class"])]
    parts += [(group, found["per_group"])] if group and found["per_group"] else []
    for (name, covered), column in zip(parts, st.columns(2, gap="medium"), strict=False):
        with column:
            st.dataframe(
                coverage_table(covered), hide_index=True, key=f"coverage_{name}",
                alt=f"Coverage of the label sets by {name}, with the number of test cells.",
                column_config={
                    "name": st.column_config.TextColumn(name),
                    "coverage": st.column_config.ProgressColumn(
                        min_value=0, max_value=1, format="percent"),
                },
            )  # fmt: skip


def _sd(metric: dict) -> str:
    return "" if metric["sd"] is None else f" ± {100 * metric['sd']:.1f}"
