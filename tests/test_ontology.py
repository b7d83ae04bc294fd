"""Labels find their cell type, or none; ids were looked up in the Cell Ontology by hand."""

from __future__ import annotations

import json

import pytest

from scmpt_core.errors import DataError
from scmpt_core.ontology import (
    ancestors,
    find_term,
    kinds_below,
    name_of,
    names_no_type,
    read_label,
    suggest_terms,
)
from scmpt_core.ontology.terms import CURATED, FOREIGN, human_terms
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
    "CD34+ HSC": ("CL:0000037", "hematopoietic stem cell", "curated"),
    "HSPC": ("CL:0008001", "hematopoietic precursor cell", "curated"),
    "Microglia": ("CL:0000129", "microglial cell", "curated"),
    "AT2": ("CL:0002063", "pulmonary alveolar type 2 cell", "curated"),
    "Type II pneumocytes": ("CL:0002063", "pulmonary alveolar type 2 cell", "synonym"),
    "PP": ("CL:0002275", "pancreatic PP cell", "curated"),
    "PT": ("CL:0002306", "epithelial cell of proximal tubule", "curated"),
    "PVALB": ("CL:4023018", "pvalb GABAergic interneuron", "curated"),
    "ASDC": ("CL:0017009", "Axl+ dendritic cell, human", "curated"),
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
    "HSC", "IPC", "Neu", "NK_T", "DP",
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
    names = {label_key(record["label"]): id for id, record in human_terms().items()}
    labels = [label_key(label) for entry in ours["labels"] for label in entry["labels"]]
    assert len(set(labels)) == len(labels)
    for entry in ours["labels"]:
        assert name_of(entry["id"]) == entry["name"]
        for label in entry["labels"]:
            assert (find_term(label).id, find_term(label).how) == (entry["id"], "curated")
            assert names.get(label_key(label)) != entry["id"], f"{label} is its name"
    for entry in ours["kinds"]:
        assert name_of(entry["id"]) == entry["name"]
        for label in entry["labels"]:
            assert [term.id for term in read_label(label).wider] == [entry["id"]]
    for word, meaning in ours["abbreviations"].items():
        assert label_key(word) == word.casefold()
        assert label_key(meaning) != word


def test_ambiguous_abbreviations_are_true_and_say_nothing_by_themselves():
    ours = json.loads(CURATED.read_text(encoding="utf-8"))
    needed = {"HSC", "IPC", "Neu", "MC", "GC", "PC", "EC", "BC", "AC", "SC", "DP"}
    assert needed <= {entry["label"] for entry in ours["ambiguous"]}
    for entry in ours["ambiguous"]:
        assert len(entry["meanings"]) > 1
        assert {id: name_of(id) for id in entry["meanings"]} == entry["meanings"]
        for label in (entry["label"], f"{entry['label']}_2"):
            reading = read_label(label)
            assert reading.kind == "abbreviation"
            assert {term.id for term in reading.terms} == set(entry["meanings"])
            assert find_term(label) is None
        assert label_key(entry["label"]) not in ours["abbreviations"]


@pytest.mark.parametrize(
    "label",
    [
        "doublet", "Doublets", "T/B doublets", "Multiplet", "unknown", "Unassigned", "Other",
        "others", "NA", "N/A", "nan", "None", "low quality", "Low-quality cells", "debris",
        "cluster 3", "Cluster_12", "cluster B", "C3", "leiden 4", "12", "3a", "?", "-", "",
    ],
)  # fmt: skip
def test_labels_that_name_no_type(label):
    assert names_no_type(label)
    assert read_label(label).kind == "no type"
    assert suggest_terms(label) == []


@pytest.mark.parametrize(
    "label", ["T", "B", "Cluster NK", "Other T", "CD4", "Th1", "Unknown T", "low CD4 T", "C cell"]
)
def test_labels_that_name_a_type(label):
    assert not names_no_type(label)


SAID = {
    "T/NK": ("several", ["T cell", "natural killer cell"]),
    "NK_T?": ("abbreviation", ["natural killer cell", "T cell", "mature NK T cell"]),
    "Mono_DC": ("several", ["monocyte", "dendritic cell"]),
    "Lymphatic EC": ("type", ["endothelial cell of lymphatic vessel"]),  # no enterocyte is
    "Liver HSC": ("abbreviation", ["hematopoietic stem cell", "hepatic stellate cell"]),
    "B/Plasma": ("several", ["B cell", "plasma cell"]),
    "Mono_CD14": ("type", ["CD14-positive monocyte"]),  # one type, said twice
    "SPP1+ macrophages": ("kind", ["macrophage"]),
    "NK dim": ("kind", ["natural killer cell"]),
    "T gamma": ("kind", ["T cell"]),
    "Fibroblast_2": ("kind", ["fibroblast"]),
    "CD8 exhausted": ("kind", ["CD8-positive, alpha-beta T cell"]),
    "CD14 CD16 DC": ("kind", ["dendritic cell"]),  # a name says more than a marker
    "CAF_1": ("kind", ["fibroblast"]),
    "plasmablast": ("type", ["plasmablast", "plasma cell"]),
    "pre-B": ("unknown", []),  # no B cell
    "NK-like T": ("unknown", []),
    "TGF beta": ("unknown", []),
    "Late erythroid": ("kind", ["erythroid lineage cell"]),
    "Tumor epithelial": ("kind", ["epithelial cell"]),
    "zzzqq": ("unknown", []),
}


@pytest.mark.parametrize("label", SAID)
def test_what_a_label_says(label):
    reading = read_label(label)
    assert (reading.kind, [t.name for t in reading.terms + reading.wider]) == SAID[label]


def test_suggestions():
    typo = suggest_terms("dentritic cel", 3)
    assert (typo[0].name, typo[0].how) == ("dendritic cell", "similar")
    assert len(typo) == 3
    assert suggest_terms("ductal")[0].name == "pancreatic ductal cell"
    both = {t.name for t in suggest_terms("Monocytes/Macrophages")}
    assert {"monocyte", "macrophage"} <= both
    assert suggest_terms("zzzqq") == []
    assert suggest_terms("B", 0) == []
    assert {t.how for t in suggest_terms("HSC", 2)} == {"abbreviation"}


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


def test_what_the_ontology_has_wrong_is_left_out():
    above = ancestors("CL:0002394")  # cDC1
    assert "CL:0000784" not in above  # plasmacytoid
    assert "CL:0000451" in above


def test_kinds_below_are_counted():
    lymphocyte, nk = "CL:0000542", "CL:0000623"
    below = [id for id in human_terms() if nk in ancestors(id)]
    assert kinds_below(nk) == len(below) == 15
    assert kinds_below(lymphocyte) > 300 > kinds_below("CL:0000084")  # T cell
    assert kinds_below(below[0]) < 15


@pytest.mark.parametrize("call", [name_of, ancestors])
def test_no_such_term(call):
    with pytest.raises(DataError, match="CL:9999999"):
        call("CL:9999999")
