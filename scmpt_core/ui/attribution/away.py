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

SHOWN = 3  # types beside the cell's own


@st.fragment
def away(view: View, row: int, genes: list[str]) -> None:
    """Choose genes; the model reads the cell without them.

    Parameters
    ----------
    genes
        Those that the cell expresses, the highest score first.
    """
    st.markdown("**What the model says without some genes**")
    meta = view.item.meta
    kept = explained_item(view.item)
    if kept is None or not {"model", "reference"} & set(meta) or model_place(meta) is None:
        st.info("The model or the cells are no longer kept, so it cannot be asked again.")
        return
    gone = st.multiselect(
        "Genes to take away", genes, key=f"away_{view.item.id}_{row}",
        placeholder="the highest score first",
    )  # fmt: skip
    if not gone:
        st.caption("Take genes away to see how the probabilities move.")
        return
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
    st.dataframe(
        pd.DataFrame(
            {
                "type": [view.result.classes[code] for code in codes],
                "whole cell": before[codes],
                f"without {len(gone)} gene{'s' * (len(gone) != 1)}": after[codes],
                "change": after[codes] - before[codes],
                "change of the logit": logits[1][codes] - logits[0][codes],
            }
        ),
        hide_index=True, key="away_table",
        alt="Probabilities of the cell's types with and without the chosen genes.",
    )  # fmt: skip
    st.caption(
        f"{plain(view.way)}, without {plain(', '.join(gone))}: "
        + ("calibrated probabilities." if whole else "probabilities of this part, not calibrated.")
    )
