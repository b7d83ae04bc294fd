"""Classify: what are these cells?"""

import time

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.classify.answer import answer
from scmpt_core.ui.classify.models import choose_model, describe, model_title
from scmpt_core.ui.classify.start import fit, start
from scmpt_core.ui.components import guarded, item_list
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import dataset_of, jobs_of, library, linked, owner
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


def choose_result(results: list[Item], named: Item | None) -> Item:
    """The labels in the link, or the newest; others of the dataset can be chosen."""
    ids = [c.id for c in results]
    at = ids.index(named.id) if named is not None else 0
    if len(ids) > 1:
        # no "… ago": Streamlit tells options apart by these words, so they must differ and stay
        words = {c.id: f"{model_title(c.meta)}, {made(c)} [{c.id[:4]}]" for c in results}
        chosen = st.selectbox("Labels by", ids, at, words.__getitem__, key=f"labels_by_{ids[at]}")
        if chosen != ids[at]:
            st.query_params["result"] = chosen
            st.rerun()
    if "result" not in st.query_params:  # an unfinished job's place is kept
        st.query_params["result"] = ids[at]
    return results[at]


def made(result: Item) -> str:
    """When."""
    return time.strftime("%d %b %Y %H:%M", time.localtime(result.created))


def results_of(item: Item | None, named: Item | None) -> list[Item]:
    """Labels of the open dataset; or the one in the link, where its dataset is gone."""
    mine = library().list(owner(), "classification")
    mine = [c for c in mine if item is not None and c.meta["dataset"] == item.id]
    return mine if named is None or named.id in {c.id for c in mine} else [named]


named = linked("classification", "result")
item = dataset_picker("Cells to label")
with st.expander("Open other cells", expanded=item is None):
    choose_file()
if item is None:
    st.info("No cells are open yet. Open yours, or the demo; then one click labels them.")
results = results_of(item, named)
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
        answer(choose_result(results, named))
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
