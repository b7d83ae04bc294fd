"""Attribution: which genes carried a label, and are they known markers?"""

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.attribution.answer import answer
from scmpt_core.ui.attribution.start import start
from scmpt_core.ui.classify.models import choose_model, describe
from scmpt_core.ui.classify.start import fit
from scmpt_core.ui.components import guarded, item_list
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.results import choose_result, made, results_of
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import dataset_of, jobs_of, linked
from scmpt_core.ui.tray import failed, watch

through_app("attribution")
st.title("Which genes carried the label?")


def explain(item: Item | None) -> None:
    """A model, whether it fits the cells, and the form."""
    offer = choose_model()
    describe(offer)
    if item is None:
        return
    dataset = dataset_of(item)
    if fit(item, dataset, offer):
        start(item, dataset, offer, any(job.active for job in jobs_of("attribute", item)))


def described(result: Item) -> str:
    """In a line."""
    meta = result.meta
    return f"{meta['model_name']}, {', '.join(meta['methods'])}, {meta['cells']} cells"


def dated(result: Item) -> str:
    """With when it was made."""
    return f"{described(result)}, {made(result)}"


named = linked("attribution", "attribution")
item = dataset_picker("Cells to explain")
with st.expander("Open other cells", expanded=item is None):
    choose_file()
if item is None:
    st.info(
        "No cells are open yet. Open yours, or the demo; then choose a model, and see which genes "
        "it leans on and whether they are known markers."
    )
results = results_of("attribution", item, named)
asked = not results or "model" in st.query_params
with st.expander("Explain a model on these cells", expanded=asked), guarded():
    explain(item)
if item is not None:
    jobs = jobs_of("attribute", item)
    watch(jobs)
    failed([j for j in jobs[:1] if not j.active])
if results:
    with guarded():
        st.subheader("Genes", divider="gray")
        answer(choose_result(results, named, "attribution", "Explained", dated))
item_list(
    "attribution", "Your explained cells", described,
    lambda r: st.page_link("pages/attribution.py", label="Show",
                           query_params={"attribution": r.id}),
)  # fmt: skip
