"""Classify: what are these cells?"""

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui import classify_view as view
from scmpt_core.ui.components import empty, guarded, item_list, item_names
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import dataset_of, jobs_of, library, linked, owner
from scmpt_core.ui.tray import failed, watch

through_app("classify")
st.title("What are these cells?")


def choose_model(models: list[Item]) -> Item:
    """A saved model; the link may name one."""
    ids, names = [m.id for m in models], item_names(models)
    wanted = st.query_params.get("model")
    start = ids.index(wanted) if wanted in ids else 0
    id = st.selectbox("Model", ids, start, format_func=names.__getitem__)
    model = models[ids.index(id)]
    view.describe_model(model)
    return model


def page(model: Item, named: Item | None) -> None:
    """Cells, fit, labels."""
    item = dataset_picker("Cells to label")
    with st.expander("Open other cells", expanded=item is None):
        choose_file()
    if item is None:
        st.info("No cells are open yet.")
    else:
        label(item, model)
    mine = library().list(owner(), "classification")
    mine = [c for c in mine if item is not None and c.meta["dataset"] == item.id]
    if named is not None or mine:
        show(named or mine[0])


def label(item: Item, model: Item) -> None:
    """Whether the model fits the cells, and the button."""
    jobs = jobs_of("classify", item)
    busy = any(job.active for job in jobs)
    if view.fit(item, dataset_of(item), model):
        view.start(item, model, busy)
    watch(jobs)
    if not busy:
        failed([j for j in jobs[:1] if not j.active])


def show(kept: Item) -> None:
    """The labels."""
    st.subheader("Labels", divider="gray")
    if "result" not in st.query_params:  # an unfinished job's place is kept
        st.query_params["result"] = kept.id
    view.answer(kept, view.read(kept))


named = linked("classification", "result")
models = library().list(owner(), "model")
if not models and named is not None:
    with guarded():
        show(named)
elif not models:
    empty(
        "No model is saved yet. Compare models on cells with known labels, then press "
        "**Save model** below the result.", "compare", "Compare models",
    )  # fmt: skip
else:
    with guarded():
        page(choose_model(models), named)
item_list(
    "model", "Your models",
    lambda m: f"{m.meta['model']}, macro F1 {m.meta['test']['macro_f1']:.3f}",
    lambda m: st.page_link("pages/classify.py", label="Use", query_params={"model": m.id}),
)  # fmt: skip
item_list(
    "classification", "Your labelled cells",
    lambda c: f"{c.meta['cells']:,} cells",
    lambda c: st.page_link("pages/classify.py", label="Show", query_params={"result": c.id}),
)  # fmt: skip
