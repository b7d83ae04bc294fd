"""Classify: what are these cells?"""

import streamlit as st

from scmpt_core.ui.asked import Asked
from scmpt_core.ui.classify.answer import answer
from scmpt_core.ui.classify.models import model_title
from scmpt_core.ui.classify.start import start
from scmpt_core.ui.components import item_list
from scmpt_core.ui.shell import through_app

through_app("classify")
st.title("What are these cells?")
page = Asked(
    "classify", "classification", ("classify",), "Cells to label",
    "No cells are open yet. Open yours, or the demo; then one click labels them.",
    "Label these cells with a model", "Labels", "Labels by", "Your labelled cells",
    lambda result: model_title(result.meta),
    lambda result: f"{result.meta['cells']:,} cells, {model_title(result.meta)}",
    lambda item, dataset, offer, running: start(item, dataset, offer, bool(running)), answer,
)  # fmt: skip
page.draw()
item_list(
    "model", "Your models",
    lambda m: f"{m.meta['model']}, macro F1 {m.meta['test']['macro_f1']:.3f}",
    lambda m: st.page_link("pages/classify.py", label="Use", query_params={"model": m.id}),
)  # fmt: skip
page.list_kept()
