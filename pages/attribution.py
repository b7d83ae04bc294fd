"""Attribution: which genes carried a label, and are they known markers?"""

import time

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.attribution.answer import answer
from scmpt_core.ui.attribution.start import start
from scmpt_core.ui.classify.models import choose_model, describe
from scmpt_core.ui.classify.start import fit
from scmpt_core.ui.components import guarded, item_list
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import dataset_of, jobs_of, library, linked, owner
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


def choose_result(results: list[Item], named: Item | None) -> Item:
    """The scores in the link, or the newest; others of the dataset can be chosen."""
    ids = [r.id for r in results]
    at = ids.index(named.id) if named is not None else 0
    if len(ids) > 1:
        # Streamlit tells options apart by their words, so no two may be alike
        words = {r.id: f"{described(r)}, {made(r)} [{r.id[:4]}]" for r in results}
        chosen = st.selectbox("Explained", ids, at, words.__getitem__, key=f"explained_{ids[at]}")
        if chosen != ids[at]:
            st.query_params["attribution"] = chosen
            st.rerun()
    if "attribution" not in st.query_params:  # an unfinished job's place is kept
        st.query_params["attribution"] = ids[at]
    return results[at]


def described(result: Item) -> str:
    """In a line."""
    meta = result.meta
    return f"{meta['model_name']}, {', '.join(meta['methods'])}, {meta['cells']} cells"


def made(result: Item) -> str:
    """When."""
    return time.strftime("%d %b %Y %H:%M", time.localtime(result.created))


def results_of(item: Item | None, named: Item | None) -> list[Item]:
    """Scores of the open dataset; or those in the link, where its dataset is gone."""
    mine = library().list(owner(), "attribution")
    mine = [r for r in mine if item is not None and r.meta["dataset"] == item.id]
    return mine if named is None or named.id in {r.id for r in mine} else [named]


named = linked("attribution", "attribution")
item = dataset_picker("Cells to explain")
with st.expander("Open other cells", expanded=item is None):
    choose_file()
if item is None:
    st.info(
        "No cells are open yet. Open yours, or the demo; then choose a model, and see which genes "
        "it leans on and whether they are known markers."
    )
results = results_of(item, named)
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
        answer(choose_result(results, named))
item_list(
    "attribution", "Your explained cells", described,
    lambda r: st.page_link("pages/attribution.py", label="Show",
                           query_params={"attribution": r.id}),
)  # fmt: skip
