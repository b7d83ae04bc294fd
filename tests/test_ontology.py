"""Labels find their cell type, or none; ids were looked up in the Cell Ontology by hand."""

from __future__ import annotations

import json

import pytest

from scmpt_core.errors import DataError
from scmpt_core.ontology import (
    ancestors,
    common_ancestor,
    find_term,
    is_ancestor,
    name_of,
    suggest_terms,
)
from scmpt_core.ontology.terms import CURATED, FOREIGN
from scmpt_core.ontology.words import label_key

# every label of the sets that the project is tested on, and of the demo
FOUND = {
    # zheng2017, and the demo
    "CD14+ Monocyte": ("CL:0001054", "CD14-positive monocyte", "name"),
    "CD19+ B": ("CL:0001201", "B cell, CD19-positive", "name"),
    "CD34+": ("CL:0008001", "hematopoietic precursor cell", "curated"),
    "CD4+ T Helper2": ("CL:0000546", "T-helper 2 cell", "curated"),
    "CD4+/CD25 T Reg": (
        "CL:0000792",
        "CD4-positive, CD25-positive, alpha-beta regulatory T cell",
        "curated",
    ),
    "CD4+/CD45RA+/CD25- Naive T": (
        "CL:0000895",
        "naive thymus-derived CD4-positive, alpha-beta T cell",
        "curated",
    ),
    "CD4+/CD45RO+ Memory": (
        "CL:0001204",
        "CD4-positive, alpha-beta memory T cell, CD45RO-positive",
        "curated",
    ),
    "CD56+ NK": ("CL:0000623", "natural killer cell", "curated"),
    "CD8+ Cytotoxic T": ("CL:0000794", "CD8-positive, alpha-beta cytotoxic T cell", "curated"),
    "CD8+/CD45RA+ Naive Cytotoxic": (
        "CL:0000900",
        "naive thymus-derived CD8-positive, alpha-beta T cell",
        "curated",
    ),
    "Dendritic": ("CL:0000451", "dendritic cell", "name"),
    "B cell": ("CL:0000236", "B cell", "name"),
    "CD14+": ("CL:0001054", "CD14-positive monocyte", "curated"),
    "NK cell": ("CL:0000623", "natural killer cell", "synonym"),
    "T cell": ("CL:0000084", "T cell", "name"),
    # kang2018
    "B cells": ("CL:0000236", "B cell", "name"),
    "CD14+ Monocytes": ("CL:0001054", "CD14-positive monocyte", "name"),
    "CD4 T cells": ("CL:0000624", "CD4-positive, alpha-beta T cell", "curated"),
    "CD8 T cells": ("CL:0000625", "CD8-positive, alpha-beta T cell", "curated"),
    "Dendritic cells": ("CL:0000451", "dendritic cell", "name"),
    "FCGR3A+ Monocytes": ("CL:0002396", "CD14-low, CD16-positive monocyte", "curated"),
    "Megakaryocytes": ("CL:0000556", "megakaryocyte", "name"),
    "NK cells": ("CL:0000623", "natural killer cell", "synonym"),
    # symphony
    "B": ("CL:0000236", "B cell", "name"),
    "DC": ("CL:0000451", "dendritic cell", "curated"),
    "HSC": ("CL:0000037", "hematopoietic stem cell", "curated"),
    "MK": ("CL:0000556", "megakaryocyte", "curated"),
    "Mono": ("CL:0000576", "monocyte", "curated"),
    "Mono_CD14": ("CL:0001054", "CD14-positive monocyte", "curated"),
    "Mono_CD16": ("CL:0002396", "CD14-low, CD16-positive monocyte", "curated"),
    "NK": ("CL:0000623", "natural killer cell", "synonym"),
    "T": ("CL:0000084", "T cell", "name"),
    "T_CD4": ("CL:0000624", "CD4-positive, alpha-beta T cell", "curated"),
    "T_CD8": ("CL:0000625", "CD8-positive, alpha-beta T cell", "curated"),
    # baron2016, xin2016
    "activated_stellate": ("CL:0002410", "pancreatic stellate cell", "curated"),
    "alpha": ("CL:0000171", "pancreatic A cell", "curated"),
    "beta": ("CL:0000169", "type B pancreatic cell", "curated"),
    "delta": ("CL:0000173", "pancreatic D cell", "curated"),
    "gamma": ("CL:0002275", "pancreatic PP cell", "curated"),
    "macrophage": ("CL:0000235", "macrophage", "name"),
    # sadefeldman2018
    "CD8, T Effector Memory": (
        "CL:0000913",
        "effector memory CD8-positive, alpha-beta T cell",
        "curated",
    ),
    "Cytotoxic CD8": ("CL:0000794", "CD8-positive, alpha-beta cytotoxic T cell", "curated"),
    "Naive T Cells": ("CL:0000898", "naive T cell", "name"),
    # elsewhere
    "alpha cell": ("CL:0000171", "pancreatic A cell", "curated"),  # the mouse has a synonym
    "gamma (PP)": ("CL:0002275", "pancreatic PP cell", "curated"),
    "γδ T": ("CL:0000798", "gamma-delta T cell", "name"),
    "pDCs": ("CL:0000784", "plasmacytoid dendritic cell", "synonym"),
    "DC2": ("CL:0002399", "CD1c-positive myeloid dendritic cell", "curated"),
    "CD4 Tcm": ("CL:0000904", "central memory CD4-positive, alpha-beta T cell", "curated"),
    "CD4-CD8- T cells": ("CL:0002489", "double negative thymocyte", "synonym"),
}
NOTHING = [
    "", "+", "cells", "0", "Cluster 3", "Unknown", "Other", "T/NK", "B + T cells",
    "Monocytes and Macrophages", "Megakaryocyte/Platelet", "PD", "ductal", "monocyt", "CD4-CD8+ B",
]  # fmt: skip


@pytest.mark.parametrize("label", FOUND)
def test_a_label_finds_its_term(label):
    term = find_term(label)
    assert (term.id, term.name, term.how) == FOUND[label]
    assert name_of(term.id) == term.name


@pytest.mark.parametrize("label", NOTHING)
def test_what_is_not_certain_is_nothing(label):
    assert find_term(label) is None


@pytest.mark.parametrize(
    "alike",
    [
        ("CD14+ Monocytes", "monocyte_CD14", "MONOCYTE (CD14-positive)", "Monocyte, CD14pos"),
        ("CD25- T", "CD25-negative T-cells", "T cells CD25neg", "Tcells CD25-"),
        ("CD56bright NK", "NK_CD56bright", "NK CD56-bright cells"),
        ("T regs", "Treg", "T-Reg", "t_reg cells"),
        ("T helper 2", "Th2", "T-Helper2 cells", "th2 cell"),
        ("β cell", "beta", "BETA CELLS", "BetaCells"),
        ("CD4-T", "CD4 T", "T_CD4", "CD4+ T-cells"),
    ],
)
def test_spellings_share_a_key(alike):
    assert len({label_key(label) for label in alike}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CD25- T", "CD25+ T"), ("CD16low NK", "CD16 NK"), ("T/NK", "NK T"),
        ("CD4-CD8+ T", "CD8-CD4+ T"), ("M1 macrophage", "M2 macrophage"),
    ],
)  # fmt: skip
def test_kinds_do_not_share_a_key(one, other):
    assert label_key(one) != label_key(other)


def test_our_table_is_true_and_adds_something():
    ours = json.loads(CURATED.read_text(encoding="utf-8"))
    labels = [label_key(label) for entry in ours["labels"] for label in entry["labels"]]
    assert len(set(labels)) == len(labels)
    for entry in ours["labels"]:
        assert name_of(entry["id"]) == entry["name"]
        for label in entry["labels"]:
            assert find_term(label).how == "curated", f"{label} is a name of the ontology"
    for word, meaning in ours["abbreviations"].items():
        assert label_key(word) == word.casefold()
        assert label_key(meaning) != word


def test_suggestions():
    typo = suggest_terms("dentritic cel", 3)
    assert (typo[0].name, typo[0].how) == ("dendritic cell", "similar")
    assert len(typo) == 3
    assert suggest_terms("ductal")[0].name == "pancreatic ductal cell"
    both = {t.name for t in suggest_terms("Monocytes/Macrophages")}
    assert {"monocyte", "macrophage"} <= both
    assert suggest_terms("zzzqq") == []
    assert suggest_terms("B", 0) == []


def test_what_is_found_leads_the_suggestions_once():
    terms = suggest_terms("gamma", 8)
    assert (terms[0].name, terms[0].how) == ("pancreatic PP cell", "curated")
    assert len({t.id for t in terms}) == 8
    assert not [t.name for t in terms if FOREIGN.search(t.name)]


def test_ancestors_nearest_first():
    above = ancestors("CL:0000236")
    assert list(above)[:2] == ["CL:0000945", "CL:0000542"]  # B lineage lymphocyte, lymphocyte
    assert list(above.values()) == sorted(above.values())
    assert "CL:0000236" not in above
    assert ancestors("CL:0000000") == {}


def test_kinds_of():
    t, cd4, nk = "CL:0000084", "CL:0000624", "CL:0000623"
    assert is_ancestor(t, cd4)
    assert not is_ancestor(cd4, t)
    assert not is_ancestor(t, t)
    assert not is_ancestor(t, nk)


def test_common_ancestor():
    cd4, cd8, b = "CL:0000624", "CL:0000625", "CL:0000236"
    assert name_of(common_ancestor([cd4, cd8])) == "mature alpha-beta T cell"
    assert name_of(common_ancestor([cd4, b])) == "lymphocyte"
    assert common_ancestor([cd4, "CL:0000084"]) == "CL:0000084"
    assert common_ancestor([b]) == b
    with pytest.raises(DataError, match="0 terms"):
        common_ancestor([])


@pytest.mark.parametrize("call", [name_of, ancestors, lambda t: is_ancestor("CL:0000084", t)])
def test_no_such_term(call):
    with pytest.raises(DataError, match="CL:9999999"):
        call("CL:9999999")
