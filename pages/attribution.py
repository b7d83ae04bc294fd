"""Attribution: which genes carried a label, and are they known markers?"""

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.ui.asked import Asked
from scmpt_core.ui.attribution.answer import answer
from scmpt_core.ui.attribution.scores import method_title
from scmpt_core.ui.attribution.start import start
from scmpt_core.ui.classify.models import model_title
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import current_item
from scmpt_core.wording import amount

through_app("attribution")
st.title("Which genes carried the label?")


def described(result: Item) -> str:
    """In a line."""
    meta = result.meta
    methods = ", ".join(method_title(name) for name in meta["methods"])
    return f"{model_title(meta)}, {methods}, {amount(meta['cells'], 'cell')}"


ask = "Explain a model on these cells" if current_item() else "Models that can be explained"
page = Asked(
    "attribution", "attribution", ("attribute",), "Cells to explain",
    "No cells are open yet. Open yours, or the demo; then choose a model, and see which genes it "
    "leans on and whether they are known markers.",
    ask, "Genes", "Explained", "Your explained cells",
    described, described,
    lambda item, dataset, offer, running: start(item, dataset, offer, bool(running)), answer,
)  # fmt: skip
page.draw()
page.list_kept()
