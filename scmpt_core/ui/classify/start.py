"""Before it runs: does the model fit the cells, which clusters vote, how long it takes."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from scmpt_core.cells import Cells
from scmpt_core.data import Dataset
from scmpt_core.device import choose_device
from scmpt_core.fusion import preview, read_config
from scmpt_core.fusion.folder import Fit
from scmpt_core.jobs import estimate_classify, submit
from scmpt_core.labelling import Clustering
from scmpt_core.library import Item
from scmpt_core.progress import duration
from scmpt_core.robustness import load_card
from scmpt_core.ui.classify.models import Offer
from scmpt_core.ui.components import guarded, plain
from scmpt_core.ui.state import library, owner

FOUND = "found on the cells' vectors (Leiden)"


def fit(item: Item, dataset: Dataset, offer: Offer) -> bool:
    """Normalisation and overlap, judged before anything runs; whether it can be used."""
    cells = dataset.usable()
    found = preview_of(offer.id, str(offer.folder), item.id, cells.fingerprint, cells)
    with st.container(horizontal=True, gap="large"):
        st.metric("Cells", f"{len(cells):,}", width="content")
        st.metric("Genes shared with training", f"{found.shared_genes:,}", width="content")
        for name, share in found.overlap.items():
            st.metric(
                f"Covered of what {name} read", f"{share:.1%}", width="content",
                help="Share of the genes that it read in training, weighted by how often, that "
                f"these cells measure (of several studies, of the one that they cover best); at "
                f"least {found.limits[name]:.0%} is needed.",
            )  # fmt: skip
    if found.seen:
        st.warning(
            f"{found.seen:,} of these cells bear the names of cells that the model was trained "
            "on. How well it labels those says nothing about new cells."
        )
    st.caption(f"Normalisation: {plain(cells.normalisation)}.")
    if found.lacking:
        st.error(
            "These cells lack genes that the model read in training: "
            + "; ".join(
                f"{plain(name)} has {found.overlap[name]:.1%}, at least {found.limits[name]:.0%} "
                "is needed"
                for name in found.lacking
            )
            + ". Labels degrade quickly below. Train a model on reference cells cut to these genes."
        )
    return not found.lacking


@st.cache_data(max_entries=50, show_spinner="Comparing genes …")
def preview_of(model: str, folder: str, item: str, fingerprint: str, _cells: Cells) -> Fit:
    """How the model in ``folder`` fits the cells, compared once."""
    return preview(Path(folder), _cells)


def start(item: Item, dataset: Dataset, offer: Offer, busy: bool) -> None:
    """What to know of the model before one acts on its labels; then queue the labelling."""
    card = load_card(offer.folder)
    if card is not None and card.warning:
        st.warning(card.warning, icon=":material/shield_question:")
    clustering = _clustering(dataset)
    encoders = [identity["encoder"] for identity in read_config(offer.folder)["encoders"]]
    estimate = estimate_classify(
        library().home, choose_device().name, item.meta["cells"], encoders
    )  # fmt: skip
    if st.button("Label these cells", type="primary", disabled=busy, icon=":material/label:",
                 key="classify", help="Runs already." if busy else None):  # fmt: skip
        with guarded():
            job = submit(
                library().home, owner(), "classify",
                {"dataset": item.id, "view": item.meta["view"], **offer.settings,
                 "clustering": clustering.to_json()},
            )  # fmt: skip
            st.query_params["result"] = job.id  # the result will bear its id
            st.query_params.pop("model", None)
            st.rerun()
    st.caption(f"Expected: about {duration(estimate.seconds)}.")


def _clustering(dataset: Dataset) -> Clustering:
    """Which clusters vote."""
    columns = [c.column for c in dataset.labels]
    left, right = st.columns([2, 1])
    column = left.selectbox(
        "Clusters that vote", [FOUND, *columns], key="vote_by",
        help="Cells that lie together should be of one type: the label of most cells of a cluster "
        "is shown beside each cell's own. Take a column of your file if it holds clusters.",
    )  # fmt: skip
    if column != FOUND:
        return Clustering(column=column)
    resolution = right.number_input(
        "Resolution", 0.1, 20.0, 1.0, 0.1, key="resolution", help="Higher gives more clusters."
    )
    return Clustering(resolution=float(resolution))
