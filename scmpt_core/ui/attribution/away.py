"""One cell without some of its genes: what the model says then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from scmpt_core.attribution import Attribution, Subject, ways_of
from scmpt_core.calibration import apply_temperature
from scmpt_core.device import choose_device
from scmpt_core.errors import DataError
from scmpt_core.fusion import ScMPT, reference_folder
from scmpt_core.library import Item
from scmpt_core.ui.attribution.keep import explained_item
from scmpt_core.ui.attribution.pick import View
from scmpt_core.ui.classify.models import model_place
from scmpt_core.ui.components import guarded, plain
from scmpt_core.ui.state import dataset_of, model_in
from scmpt_core.wording import amount, few

SHOWN = 3  # types beside the cell's own
NAMED = 15  # genes in the caption


def askable(item: Item) -> Item | None:
    """The cells, where model and cells are still there to be asked; else ``None``."""
    meta = item.meta
    there = {"model", "reference"} & set(meta) and model_place(meta) is not None
    return explained_item(item) if there else None


def without(view: View, row: int, gone: list[str], kept: Item) -> None:
    """Have the model read the cell without the genes."""
    meta = view.item.meta
    with guarded(), st.spinner("The model reads the cell …"):
        folder = reference_folder(meta["reference"]) if "reference" in meta else Path(
            model_place(meta)
        )  # fmt: skip
        subject, model = _subject(view.item.id, row, str(folder), view.result, kept)
        _table(view, row, gone, subject, model)


@st.cache_resource(max_entries=2, show_spinner=False)
def _subject(
    id: str, row: int, folder: str, _result: Attribution, _kept: Item
) -> tuple[Subject, ScMPT]:
    model = model_in(folder)
    cells = dataset_of(_kept).usable().restrict(set(model.genes))
    at = np.flatnonzero(cells.ids == _result.ids[row])
    if len(at) != 1:
        raise DataError(
            f"The dataset no longer holds the cell {_result.ids[row]}.", "Explain it again."
        )
    return Subject(cells.take(at), model.encoders, ways_of(model), choose_device()), model


def _table(view: View, row: int, gone: list[str], subject: Subject, model: ScMPT) -> None:
    """Probabilities before and after, of the types that matter."""
    present = np.vstack([np.ones(len(subject.genes), bool), ~np.isin(subject.genes, gone)])
    logits = subject.logits(present)[view.way]  # (before and after, classes)
    whole = view.way == model.name
    before, after = apply_temperature(logits, model.sureness.temperature if whole else 1.0)
    own = int(view.result.types[row])
    order = np.argsort(-np.maximum(before, after), kind="stable")
    codes = [own, *[code for code in order.tolist() if code != own][:SHOWN]]
    less = f"without {amount(len(gone), 'gene')}"
    st.dataframe(
        pd.DataFrame(
            {
                "type": [view.result.classes[code] for code in codes],
                "whole cell": before[codes],
                less: after[codes],
                "change": 100 * (after[codes] - before[codes]),
                "change of the logit": logits[1][codes] - logits[0][codes],
            }
        ),
        hide_index=True, key="away_table",
        alt="Probabilities of the cell's types with and without the chosen genes.",
        column_config={
            "whole cell": st.column_config.NumberColumn(format="percent"),
            less: st.column_config.NumberColumn(format="percent"),
            "change": st.column_config.NumberColumn("change (% points)", format="%+.3g"),
            "change of the logit": st.column_config.NumberColumn(format="%+.3g"),
        },
    )  # fmt: skip
    st.caption(
        f"{plain(view.way)}, without {plain(few(gone, NAMED))}: "
        + ("calibrated probabilities." if whole else "probabilities of this part, not calibrated.")
    )
