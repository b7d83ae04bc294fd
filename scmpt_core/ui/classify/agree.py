"""Encoders: whether each, judged alone, names the types that the fused model names."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from scmpt_core.labelling import Labelling, agreement
from scmpt_core.library import Item
from scmpt_core.ui.classify.cells import show_disputed
from scmpt_core.ui.components import plain

MOST = 30  # disputes listed


def agree(item: Item, labelling: Labelling, summary: dict) -> None:
    """The share that agrees, and what the others are called."""
    found = agreement(labelling.prediction)
    if found is None:
        st.info(
            "This model does not judge its encoders one by one: it reads a single one, or mixes "
            "all before it judges. Models named scmpt tell what each encoder says alone."
        )
        return
    if not found.cells:
        st.info("No cell has a gene that the model reads.")
        return
    apart = found.cells - found.agree
    st.markdown(
        f"All encoders name the same type for **{found.agree:,} of {found.cells:,}** cells "
        f"({found.agree / found.cells:.1%})."
    )
    st.markdown(
        "\n".join(
            f"- {plain(name)} alone agrees with the fused model on {same:,} cells "
            f"({same / found.cells:.1%})"
            for name, same in found.with_fused.items()
        )
    )
    if not apart:
        return
    st.button(f"Show the {apart:,} cells that they name differently", key="show_disputed",
              icon=":material/search:", on_click=show_disputed)  # fmt: skip
    names = [f"{name} alone" for name in found.with_fused]
    rows = [
        dict(zip(names, said, strict=True)) | {"fused": fused, "cells": cells}
        for said, fused, cells in found.disputes[:MOST]
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption(
        f"The {len(rows)} most frequent of {len(found.disputes)} ways to disagree. These are the "
        "most probable types, whatever the rule makes of them."
    )
