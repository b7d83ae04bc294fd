"""Dataset: what is in my file, and can it be used?"""

import streamlit as st

from scmpt_core.data import Finding
from scmpt_core.library import Item
from scmpt_core.ui import dataset_view as view
from scmpt_core.ui.components import guarded, item_list
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import check_of, dataset_of, open_item

through_app("dataset")
st.title("Which cells do you have?")


def kept() -> None:
    """One's datasets."""

    def act(item: Item) -> None:
        if st.button("Open", key=f"open_{item.id}", icon=":material/folder_open:"):
            open_item(item)
            st.rerun()

    item_list("dataset", "Your datasets", lambda i: f"{i.meta['cells']:,} cells", act)


def describe(item: Item) -> None:
    """Answer first, details in tabs that run when opened."""
    result, dataset = check_of(item), dataset_of(item)
    view.headline(item, dataset, result)
    names = ["Findings", "Distributions", "Labels", "Map", "Cells"]
    tabs = dict(zip(names, st.tabs(names, key="part", bind="query-params"), strict=True))
    with tabs["Findings"]:
        if tabs["Findings"].open:
            view.findings_list(item, [Finding(**f) for f in result["findings"]])
            view.choices(item, dataset)
    with tabs["Distributions"]:
        if tabs["Distributions"].open:
            view.distributions(item, dataset)
    with tabs["Labels"]:
        if tabs["Labels"].open:
            view.labels(dataset)
    with tabs["Map"]:
        if tabs["Map"].open:
            view.cell_map(item, dataset)
    with tabs["Cells"]:
        if tabs["Cells"].open:
            st.caption(f"The first 100 of {dataset.adata.n_obs:,} cells, as the file says.")
            st.dataframe(view.table_of(dataset))


item = dataset_picker("Open dataset")
if item is None:
    st.info("No cells are open yet. Press **Open demo cells** to look around.")
    choose_file()
else:
    st.query_params["dataset"] = item.id
    with st.expander("Open other cells", key="other_cells"):
        choose_file()
    with guarded():
        describe(item)
kept()
