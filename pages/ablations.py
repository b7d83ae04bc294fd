"""Ablations: what a model leans on, by perturbing the cells it reads."""

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.ablations.answer import answer
from scmpt_core.ui.ablations.start import start
from scmpt_core.ui.classify.models import choose_model, describe
from scmpt_core.ui.classify.start import fit
from scmpt_core.ui.components import guarded, item_list
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.results import choose_result, made, results_of
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import dataset_of, jobs_of, linked
from scmpt_core.ui.tray import failed, watch

through_app("ablations")
st.title("What does the model lean on?")


def perturb(item: Item | None) -> None:
    """A model, whether it fits the cells, and the ways to ask."""
    offer = choose_model()
    describe(offer)
    if item is None:
        return
    dataset = dataset_of(item)
    if fit(item, dataset, offer):
        busy, busy_card = (
            any(job.active for job in jobs_of(kind, item)) for kind in ("ablate", "robustness")
        )
        start(item, dataset, offer, busy, busy_card)


def described(result: Item) -> str:
    """In a line."""
    meta, n = result.meta, len(result.meta["ablations"])
    regimes = " and ".join(meta["regimes"])
    return f"{meta['model_name']}, {n} ablation{'s' * (n != 1)}, {regimes}, {meta['cells']} cells"


def dated(result: Item) -> str:
    """With when it was made."""
    return f"{described(result)}, {made(result)}"


named = linked("ablation", "ablation")
item = dataset_picker("Cells to perturb")
with st.expander("Open other cells", expanded=item is None):
    choose_file()
if item is None:
    st.info(
        "No cells are open yet. Open yours, or the demo; then choose a model, take something away "
        "from its cells, and see what its labels rested on."
    )
results = results_of("ablation", item, named)
asked = not results or "model" in st.query_params
with st.expander("Try ablations on these cells, or run many", expanded=asked), guarded():
    perturb(item)
if item is not None:
    for jobs in (jobs_of("ablate", item), jobs_of("robustness", item)):
        watch(jobs)
        failed([j for j in jobs[:1] if not j.active])
if results:
    with guarded():
        st.subheader("What costs most", divider="gray")
        answer(choose_result(results, named, "ablation", "Ablated", dated))
item_list(
    "ablation", "Your ablations", described,
    lambda r: st.page_link("pages/ablations.py", label="Show", query_params={"ablation": r.id}),
)  # fmt: skip
