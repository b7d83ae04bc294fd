"""Choosing a model: those that ship, and one's own; what each is and knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from scmpt_core.errors import ScmptError
from scmpt_core.fusion import REFERENCES, Reference, read_config, reference_folder
from scmpt_core.labelling import ontology_of, term_url
from scmpt_core.library import Item
from scmpt_core.ontology import name_of
from scmpt_core.robustness import load_card
from scmpt_core.ui.components import item_names, plain
from scmpt_core.ui.state import library, owner

_LINKED = "linked_model"  # the last one that a link named


@dataclass(frozen=True, eq=False)
class Offer:
    """A model to choose.

    Parameters
    ----------
    id
        In a link: the name of one that ships, or the id of one that is kept.
    settings
        How a job is told of it.
    """

    id: str
    name: str
    settings: dict
    reference: Reference | None = None
    item: Item | None = None

    @property
    def folder(self) -> Path:
        """Where it lies.

        Raises
        ------
        MissingComponent
            It should ship, but its files are not there.
        """
        return reference_folder(self.id) if self.item is None else self.item.folder / "model"


def reference_name(name: str) -> str:
    """How the page calls a model that ships: "PBMC reference"."""
    return f"{name.upper() if len(name) <= 4 else name} reference"  # so short is an abbreviation


def offers() -> list[Offer]:
    """One's own models, the newest first, then those that ship."""
    mine = library().list(owner(), "model")
    names = item_names(mine)
    own = [Offer(m.id, names[m.id], {"model": m.id}, item=m) for m in mine]
    shipped = [
        Offer(r.name, f"{r.title}: {reference_name(r.name)}", {"reference": r.name}, reference=r)
        for r in REFERENCES
    ]
    return own + shipped


def choose_model() -> Offer:
    """Which model; a link may name one."""
    every = {offer.id: offer for offer in offers()}
    wanted = st.query_params.get("model")
    if wanted in every and st.session_state.get(_LINKED) != wanted:
        st.session_state[_LINKED] = st.session_state["classify_model"] = wanted
    if st.session_state.get("classify_model") not in every:
        st.session_state.pop("classify_model", None)  # it was deleted
    id = st.selectbox(
        "Model", list(every), format_func=lambda id: every[id].name, key="classify_model",
        persist_state="session",
        help="Models that you saved after a comparison, and two that ship with scMPT, for cells "
        "without any known label.",
    )  # fmt: skip
    return every[id]


def describe(offer: Offer) -> None:
    """Where it comes from, how well it did, and what it knows."""
    config = read_config(offer.folder)
    encoders = ", ".join(identity["encoder"] for identity in config["encoders"])
    test, split = config["test"]["macro_f1"], config["split"]
    lead = f"Ships with scMPT: {offer.reference.summary}. " if offer.reference else ""
    st.caption(
        f"{lead}{plain(config['name'])} ({plain(encoders)}), trained on {plain(config['dataset'])},"
        f" label {plain(config['label'])}; macro F1 {test:.3f} on {split['test']:,} test cells "
        f"({plain(split['description'])}). It knows only these {len(config['classes'])} types: "
        f"{plain(', '.join(config['classes']))}."
    )
    with st.expander("About this model: its types, how well it does, its limits"):
        _types(config)
        robust = load_card(offer.folder)
        if robust is not None and offer.reference is None:  # of others the description has this
            st.markdown("**Robustness**, with Unknown switched on (Ablations shows all of it):")
            st.markdown("\n".join(f"- {plain(text)}" for text in robust.sentences()))
        card = offer.folder / "README.md"
        if card.is_file():
            st.markdown(re.sub(r"^#+ ", "##### ", card.read_text("utf-8"), flags=re.MULTILINE))


def _types(config: dict) -> None:
    """One row a type."""
    ids, scores = ontology_of(config["classes"], config), config["per_class"]
    rows = [
        {
            "type": name,
            "Cell Ontology": link_of(ids.get(name, "")),
            "its name there": name_of(ids[name]) if name in ids else "",
            "F1": scores.get(name, {}).get("f1"),
            "test cells": scores.get(name, {}).get("support"),
        }
        for name in config["classes"]
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config={"Cell Ontology": id_link()})


def link_of(id: str) -> str | None:
    """What a column of :func:`id_link` holds: the address, and the id as its last part."""
    return f"{term_url(id)}#{id}" if id else None


def id_link() -> dict:
    """A column of links to terms that shows their ids."""
    return st.column_config.LinkColumn(
        display_text=r"#(.*)$", help="Opens the ontology look-up service in your browser."
    )


def model_title(meta: dict) -> str:
    """Of the model that made kept labels."""
    return reference_name(meta["reference"]) if "reference" in meta else meta["model_name"]


def model_place(meta: dict) -> str | None:
    """What to give the script for the model that made kept labels; ``None`` if it is gone."""
    if "reference" in meta:
        return meta["reference"]
    try:
        return str(library().get(owner(), "model", meta["model"]).folder / "model")
    except ScmptError:
        return None
