"""Compare models: which model labels my cells best?"""

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.compare.answer import answer, tables
from scmpt_core.ui.compare.details import details
from scmpt_core.ui.compare.keep import save_model
from scmpt_core.ui.compare.models import described
from scmpt_core.ui.compare.settings import settings
from scmpt_core.ui.components import empty, guarded, item_list, item_names, plain
from scmpt_core.ui.files import dataset_picker
from scmpt_core.ui.results import choose_result, results_of
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import comparison_of, dataset_of, jobs_of, linked
from scmpt_core.ui.tray import failed, watch

through_app("compare")
st.title("Which model labels your cells best?")


def shown(item: Item, named: Item | None) -> Item | None:
    """The comparison to show, if there is one."""
    mine = results_of("comparison", item, named)
    names = item_names(mine)
    if not mine:
        return None
    return choose_result(
        mine, named, "comparison", "Result", lambda c: f"{names[c.id]}, {described(c)}"
    )


def show(item: Item) -> None:
    """All there is to see of a result, below the answer."""
    stored = comparison_of(item)
    tables(item, stored)
    details(item, stored)
    save_model(item, stored)


def page(item: Item, result: Item | None) -> None:
    """Settings beside the answer, details below."""
    dataset = dataset_of(item)
    jobs = jobs_of("compare", item)
    busy = any(job.active for job in jobs)
    main, side = st.columns([2.2, 1], gap="medium")  # on a phone the answer comes first
    with side:
        if dataset.cells is None or not dataset.labels:
            lack = "has errors" if dataset.cells is None else "has no column that could be a label"
            st.warning(
                f"{plain(item.name)} {lack}; a comparison needs usable cells with known labels."
            )
            st.page_link("pages/dataset.py", label="See what was found",
                         query_params={"dataset": item.id})  # fmt: skip
        else:
            settings(item, dataset, busy)
    with main:
        watch(jobs)
        if not busy:
            failed([j for j in jobs[:1] if not j.active])
        chosen = shown(item, result)
        if chosen is None:
            if not busy:
                st.info("Choose a label and press **Compare**.")
            return
        answer(chosen, comparison_of(chosen))
    show(chosen)


def orphan(result: Item) -> None:
    """A result whose dataset is no longer kept."""
    st.info(f"The dataset {plain(result.meta['dataset_name'])} is no longer kept; its result is.")
    answer(result, comparison_of(result))
    show(result)


result = linked("comparison", "comparison")
item = dataset_picker()
with guarded():
    if result is not None and (item is None or result.meta["dataset"] != item.id):
        orphan(result)
    elif item is None:
        empty("No cells are open yet.", "dataset", "Open a dataset, or the demo")
    else:
        page(item, result)
item_list(
    "comparison", "Your comparisons",
    lambda c: f"best {c.meta['best']}, macro F1 {c.meta['macro_f1']:.3f}",
    lambda c: st.page_link("pages/compare.py", label="Show", query_params={"comparison": c.id}),
)  # fmt: skip
