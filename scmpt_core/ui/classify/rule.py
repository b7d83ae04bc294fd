"""When a cell is called Unknown: the rule's three shares, and what each does, at once."""

from __future__ import annotations

import streamlit as st

from scmpt_core.fusion import Rule
from scmpt_core.labelling import Effect, Labelling, effect, set_sizes
from scmpt_core.library import Item
from scmpt_core.ui.classify.keep import change, undo_button

SHARES = {  # of the rule → lowest, highest, step, in percent
    "error": (0.0, 50.0, 0.5),
    "far": (0.0, 50.0, 0.5),
    "coverage": (50.0, 99.0, 1.0),
}


def controls(item: Item, labelling: Labelling) -> None:
    """The sliders; what is set is kept, and everything on the page follows."""
    found = effect(labelling)
    st.markdown("**When is a cell Unknown?**")
    _slider(
        item, "error", "Wrong labels, at most",
        "The threshold on the probability is the lowest at which the model's calibration cells "
        "(training data kept apart, of known type) had no more wrong labels.",
    )  # fmt: skip
    _threshold(labelling, found)
    _slider(
        item, "far", "Cells of known types called far, at most",
        "A cell is called far from all training cells when fewer than this share of cells of "
        "known types look as unusual. Higher finds more unknown types, and loses more known cells.",
    )  # fmt: skip
    far = labelling.prediction.far <= labelling.rule.far
    st.caption(f"Cells with p ≤ {labelling.rule.far:g} are far: {far.sum():,} of {len(far):,}.")
    _slider(
        item, "coverage", "Label sets hold the true type in",
        "A cell's set holds every type that cannot be ruled out at this coverage.",
    )  # fmt: skip
    _sets(labelling)
    with st.container(horizontal=True):
        st.button(
            "Reset to defaults", key="reset_rule", icon=":material/restart_alt:",
            disabled=labelling.rule == Rule(), on_click=change,
            args=(item.id, lambda _: {"rule": Rule().to_json()}),
        )  # fmt: skip
        undo_button(item, "rule")


def _slider(item: Item, name: str, label: str, help: str) -> None:
    key, (low, high, step) = f"{name}_{item.id}", SHARES[name]
    # the kept value is the one that counts: after an undo the slider follows it
    percent = round(100 * item.meta["rule"][name], 4)  # 100 × 0.07 is 7.000000000000001
    st.session_state[key] = min(max(percent, low), high)
    st.slider(label, low, high, step=step, format="%g %%", key=key, help=help,
              on_change=_moved, args=(item.id, name))  # fmt: skip


def _moved(id: str, name: str) -> None:
    share = round(st.session_state[f"{name}_{id}"] / 100, 6)
    change(id, lambda labelling: {"rule": labelling.rule.to_json() | {name: share}})


def _threshold(labelling: Labelling, found: Effect) -> None:
    """The threshold, what it did to the calibration cells, and what it does here."""
    if not found.calibration:
        st.warning(
            "The model has no calibration cells, so no threshold follows from an error: every cell "
            "keeps its most probable type unless it is far."
        )
        return
    if not found.reached:
        st.warning(
            f"No threshold reaches {labelling.rule.error:.1%}: the surest calibration cells are "
            "wrong more often. The threshold with the fewest wrong is used."
        )
    low, high = (found.interval.low, found.interval.high) if found.interval else (0.0, 1.0)
    st.caption(
        f"Threshold on the probability: **{found.threshold:.3f}**. Of {found.calibration:,} "
        f"calibration cells {found.kept / found.calibration:.1%} keep a label, {found.error:.1%} "
        f"of those a wrong one (95% interval {low:.1%} to {high:.1%}, n = {found.kept:,}). "
        f"Here {found.named / found.cells:.1%} of {found.cells:,} cells keep one."
    )


def _sets(labelling: Labelling) -> None:
    """How large the label sets are."""
    sets, coverage = labelling.prediction.sureness.sets, labelling.rule.coverage
    if not sets.attainable(coverage):
        st.warning(
            f"{sets.n:,} calibration cells are too few for {coverage:.1%}: every type stays "
            "possible for every cell."
        )
        return
    sizes = set_sizes(labelling)
    cells = sum(sizes.values())
    mean = sum(size * n for size, n in sizes.items()) / cells
    st.caption(
        f"{sizes.get(1, 0) / cells:.1%} of {cells:,} cells have one type left; {mean:.2f} types a "
        "cell on average."
    )
