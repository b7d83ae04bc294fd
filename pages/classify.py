"""Classify: what are these cells?"""

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.classify.answer import answer
from scmpt_core.ui.classify.models import choose_model, describe, model_title
from scmpt_core.ui.classify.start import fit, start
from scmpt_core.ui.components import guarded, item_list
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.results import choose_result, made, results_of
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import dataset_of, jobs_of, linked
from scmpt_core.ui.tray import failed, watch

through_app("classify")
st.title("What are these cells?")


def label(item: Item | None) -> bool:
    """A model, whether it fits the cells, and the button; whether a job is running."""
    offer = choose_model()
    describe(offer)
    if item is None:
        return False
    jobs = jobs_of("classify", item)
    busy = any(job.active for job in jobs)
    dataset = dataset_of(item)
    if fit(item, dataset, offer):
        start(item, dataset, offer, busy)
    return busy


def dated(result: Item) -> str:
    """By which model, and when."""
    return f"{model_title(result.meta)}, {made(result)}"


named = linked("classification", "result")
item = dataset_picker("Cells to label")
with st.expander("Open other cells", expanded=item is None):
    choose_file()
if item is None:
    st.info("No cells are open yet. Open yours, or the demo; then one click labels them.")
results = results_of("classification", item, named)
asked = not results or "model" in st.query_params
with st.expander("Label these cells with a model", expanded=asked), guarded():
    label(item)
if item is not None:
    jobs = jobs_of("classify", item)
    watch(jobs)
    failed([j for j in jobs[:1] if not j.active])
if results:
    with guarded():
        st.subheader("Labels", divider="gray")
        answer(choose_result(results, named, "result", "Labels by", dated))
item_list(
    "model", "Your models",
    lambda m: f"{m.meta['model']}, macro F1 {m.meta['test']['macro_f1']:.3f}",
    lambda m: st.page_link("pages/classify.py", label="Use", query_params={"model": m.id}),
)  # fmt: skip
item_list(
    "classification", "Your labelled cells",
    lambda c: f"{c.meta['cells']:,} cells, {model_title(c.meta)}",
    lambda c: st.page_link("pages/classify.py", label="Show", query_params={"result": c.id}),
)  # fmt: skip
