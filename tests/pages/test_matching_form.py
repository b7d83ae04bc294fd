"""What stands in the form of labels and entries before anybody has looked at it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def form():
    """Seven labels against a small database; two were confirmed on an earlier day."""
    from types import SimpleNamespace

    import streamlit as st

    from scmpt_core.markers import confirm, recall, remember
    from scmpt_core.markers.base import MarkerDatabase, MarkerSet
    from scmpt_core.ontology import find_term
    from scmpt_core.ui.attribution.matching import matching

    names = ["T cells", "B cells", "Hepatic stellate cells", "Hematopoietic stem cells",
             "Dendritic cells", "Goblet cells"]  # fmt: skip
    entries = {name: MarkerSet(name, {}, find_term(name).id) for name in names}
    database = MarkerDatabase("small", "1", "", entries, "")
    labels = ["B", "CD4 T", "HSC", "dentritic cels", "doublet", "old", "gone"]
    proposed = recall({}, labels, database)
    book = remember(
        [confirm(proposed[5], "T cells", database), confirm(proposed[6], None, database)], database
    )
    st.session_state.setdefault("fill_entries", False)
    matching(SimpleNamespace(id="one"), database, recall(book, labels, database))


@pytest.fixture
def shown():
    app = AppTest.from_function(form).run(timeout=30)
    assert not app.exception
    return app


def boxes(app):
    return {box.label.removeprefix("✓ "): box for box in app.selectbox}


def test_only_the_same_type_is_filled_in(shown):
    values = {label: box.value for label, box in boxes(shown).items()}
    assert values == {
        "B": "B cells", "CD4 T": "decide later", "HSC": "decide later",
        "dentritic cels": "decide later", "doublet": "decide later",
        "old": "T cells", "gone": "no entry of the database",
    }  # fmt: skip


def test_fill_in_the_likeliest_takes_no_looks_and_no_abbreviation(shown):
    shown.toggle(key="fill_entries").set_value(True).run()
    values = {label: box.value for label, box in boxes(shown).items()}
    assert values["CD4 T"] == "T cells"
    assert {values[label] for label in ("HSC", "dentritic cels", "doublet")} == {"decide later"}


def test_what_was_confirmed_before_says_so(shown):
    options = {label: box.options for label, box in boxes(shown).items()}
    assert "T cells (remembered from last time)" in options["old"]
    assert "no entry of the database (remembered from last time)" in options["gone"]
    assert not any("remembered" in option for option in options["B"])


def test_why_nothing_is_suggested(shown):
    assert boxes(shown)["doublet"].help == "The label names no cell type."
    assert "it may stand for hepatic stellate cell, or for hematopoietic stem cell" in " ".join(
        boxes(shown)["HSC"].options
    )
