"""Labels of real sets find the entry that a biologist would take; none is taken silently."""

from __future__ import annotations

import json

import anndata as ad
import pytest

from scmpt_core.errors import SettingError
from scmpt_core.markers import (
    Match,
    accept_exact,
    confirm,
    forget,
    open_database,
    parse_pairs,
    propose,
    recall,
    remember,
    shared_entries,
    suggest,
)
from scmpt_core.markers.base import Evidence, MarkerDatabase, MarkerSet
from scmpt_core.ontology import find_term
from tests.markers.test_databases import real as real_file

# label → best entry of PanglaoDB and how; written down by hand
PANGLAO = {
    # kang2018
    "B cells": ("B cells", "same words"),
    "CD14+ Monocytes": ("Monocytes", "ancestor"),
    "CD4 T cells": ("T cells", "ancestor"),
    "CD8 T cells": ("T cells", "ancestor"),
    "Dendritic cells": ("Dendritic cells", "same words"),
    "FCGR3A+ Monocytes": ("Monocytes", "ancestor"),
    "Megakaryocytes": ("Megakaryocytes", "same words"),
    "NK cells": ("NK cells", "same words"),
    # zheng2017
    "CD14+ Monocyte": ("Monocytes", "ancestor"),
    "CD19+ B": ("B cells", "ancestor"),
    "CD34+": ("Hematopoietic stem cells", "descendant"),
    "CD4+ T Helper2": ("T helper cells", "ancestor"),
    "CD4+/CD25 T Reg": ("T regulatory cells", "ancestor"),
    "CD4+/CD45RA+/CD25- Naive T": ("T cells naive", "ancestor"),
    "CD4+/CD45RO+ Memory": ("T memory cells", "ancestor"),
    "CD56+ NK": ("NK cells", "same term"),
    "CD8+ Cytotoxic T": ("T cytotoxic cells", "same term"),
    "CD8+/CD45RA+ Naive Cytotoxic": ("T cells naive", "ancestor"),
    # others
    "CD4 T": ("T cells", "ancestor"),
    "CD16+ Monocytes": ("Monocytes", "ancestor"),
    "B": ("B cells", "same words"),
    "NK": ("NK cells", "same words"),
    "natural killer cell": ("NK cells", "synonym"),
    "DC": ("Dendritic cells", "same term"),
    "Mk": ("Megakaryocytes", "same term"),
    "Treg": ("T regulatory cells", "synonym"),
    "gamma": ("Gamma (PP) cells", "same term"),
    "activated_stellate": ("Pancreatic stellate cells", "same term"),
    "microglia": ("Microglia", "same words"),
    "microglial cell": ("Microglia", "same term"),
    "AT2": ("Pulmonary alveolar type II cells", "same term"),
    "PT": ("Proximal tubule cells", "same term"),
    "TAL": ("Loop of Henle cells", "ancestor"),
    "dentritic cels": ("Dendritic cells", "looks alike"),
}
BUILTIN = {
    "CD14+ Monocytes": ("CD14+ monocyte", "same words"),
    "FCGR3A+ Monocytes": ("CD16+ monocyte", "same term"),
    "CD4 T cells": ("CD4+ T cell", "same words"),
    "CD4+/CD25 T Reg": ("Regulatory T cell", "ancestor"),
    "CD34+": ("Hematopoietic stem or progenitor cell", "same term"),
    "CD4+/CD45RO+ Memory": ("Memory CD4+ T cell", "ancestor"),
    "alpha": ("Pancreatic alpha cell", "same term"),
}


@pytest.fixture(scope="module")
def panglao():
    return open_database(real_file("PanglaoDB_markers_27_Mar_2020.tsv.gz"))


def best(label, database):
    first = suggest(label, database)[0]
    return first.entry, first.how


def test_labels_in_panglaodb(panglao):
    assert {label: best(label, panglao) for label in PANGLAO} == PANGLAO


def test_labels_in_the_builtin_table():
    database = open_database("builtin")
    assert {label: best(label, database) for label in BUILTIN} == BUILTIN


@pytest.mark.parametrize("name", ["kang2018_pbmc_8donors", "zheng2017_pbmc_facs"])
def test_every_label_of_the_real_sets_is_looked_at(real, name):
    labels = set(ad.read_h5ad(real(name), backed="r").obs["cell_type"].unique())
    assert labels <= set(PANGLAO)


def small(*names: str, **terms: str) -> MarkerDatabase:
    """Entries by name, each larger than the one before; ``terms`` are given, others found."""
    entries = {}
    for i, name in enumerate((*names, *terms)):
        term = find_term(name)
        genes = {f"G{j}": Evidence() for j in range(i + 1)}
        entries[name] = MarkerSet(name, genes, terms.get(name, term.id if term else None))
    return MarkerDatabase("small", "1", "", entries, "")


LABELS = ["B", "CD4 T", "CD8 T", "Mystery zzq"]


def test_only_the_same_type_is_accepted_without_a_person():
    matches = accept_exact(LABELS, small("T cells", "B cells"))
    assert [(m.entry, m.confirmed) for m in matches] == [
        ("B cells", True), (None, False), (None, False), (None, False)
    ]  # fmt: skip
    assert matches[1].suggestions[0].entry == "T cells"
    assert "is a kind of T cell, 3 steps" in matches[1].suggestions[0].because
    assert matches[3].suggestions == ()
    assert not any(m.confirmed for m in propose(LABELS, small("T cells", "B cells")))


def test_pairs_are_taken_and_shared_entries_known():
    pairs = parse_pairs(["CD4 T = T cells", "CD8 T=T cells"])
    matches = accept_exact(LABELS, small("T cells", "B cells"), pairs)
    assert shared_entries(matches) == {"T cells": ("CD4 T", "CD8 T")}
    # a proposal counts for nothing
    assert shared_entries(propose(LABELS, small("T cells", "B cells"))) == {}


def test_wrong_pairs_are_named():
    database = small("T cells")
    for text in ("CD4 T", "=T cells", "CD4 T="):
        with pytest.raises(SettingError, match="not of the form LABEL=ENTRY"):
            parse_pairs([text])
    with pytest.raises(SettingError, match="given twice"):
        parse_pairs(["a=b", "a=c"])
    assert parse_pairs(["a=1=b"]) == {"a=1": "b"}
    with pytest.raises(SettingError, match="no label 'CD5 T'"):
        accept_exact(LABELS, database, {"CD5 T": "T cells"})
    with pytest.raises(SettingError, match="no cell type in small, 1, 'T cell'; there are: T c"):
        accept_exact(LABELS, database, {"CD4 T": "T cell"})


def test_nearer_terms_lead_and_wider_before_narrower():
    found = suggest("CD4 T", small("lymphocyte", "T cells", "T helper 2 cells"))
    assert [(s.entry, s.how) for s in found] == [
        ("T cells", "ancestor"), ("lymphocyte", "ancestor"), ("T helper 2 cells", "descendant")
    ]  # fmt: skip
    assert [s.entry for s in suggest("CD4 T", small("CD4 T", "T CD4+"))] == ["T CD4+", "CD4 T"]


def table(name: str, content: str) -> MarkerDatabase:
    entries = {"Mono": MarkerSet("Mono", {}), "T cells": MarkerSet("T cells", {})}
    return MarkerDatabase("custom", f"file {name}", "", entries, content)


def test_tables_of_ones_own_are_remembered_by_their_content():
    first, other = table("a.csv", "1f3a"), table("b.csv", "77e0")
    book = remember([confirm(Match("X", None, False), "Mono", first)], first)
    assert not recall(book, ["X"], other)[0].confirmed
    assert recall(book, ["X"], table("renamed.csv", "1f3a"))[0].entry == "Mono"
    # a label confirmed when tables were told by nothing is asked for again
    assert not recall({"custom": {"X": "Mono"}}, ["X"], first)[0].confirmed
    both = remember([confirm(Match("X", None, False), None, other)], other, book)
    assert forget(both, other) == book
    assert forget(both, open_database("builtin")) == both


def test_a_match_says_how_it_was_accepted():
    database = small("T cells", "T helper cells", "NK cells", "Megakaryocytes", "Neurons")
    labels = ["CD4 T", "Megakaryocytes", "natural killer cell", "Mk", "Neu", "T/NK", "cluster 3",
              "CD8 T", "zzq"]  # fmt: skip
    matches = accept_exact(labels, database, {"CD4 T": "T helper cells"})
    assert [match.said() for match in matches] == [
        "CD4 T → T helper cells (by you)",
        "Megakaryocytes → Megakaryocytes (same words)",
        "natural killer cell → NK cells (synonym)",
        "Mk → Megakaryocytes (same term)",
        "Neu: may mean several types; nearest: Neurons",
        "T/NK: names several types; nearest: NK cells, T cells",
        "cluster 3: names no cell type",
        "CD8 T: no entry; nearest: T cells",
        "zzq: no entry, and none looks like it",
    ]
    assert [match.to_json()["accepted"] for match in matches[:5]] == [
        "by you", "same words", "synonym", "same term", None
    ]  # fmt: skip
    nothing = confirm(matches[8], None, database)
    assert nothing.said() == "zzq → no entry (by you)"
    again = recall(remember([nothing], database), ["zzq"], database)
    assert again[0].said() == "zzq → no entry (remembered)"


def test_what_was_confirmed_is_remembered_by_database():
    database, other = small("T cells", "B cells"), open_database("builtin")
    matches = propose(LABELS, database)
    matches[1] = confirm(matches[1], "T cells", database)
    matches[3] = confirm(matches[3], None, database)
    book = json.loads(json.dumps(remember(matches, database)))
    book = remember([confirm(Match("B", None, False), "B cell", other)], other, book)
    again = recall(book, LABELS, database)
    assert [(m.entry, m.confirmed) for m in again] == [
        ("B cells", False), ("T cells", True), ("T cells", False), (None, True)
    ]  # fmt: skip
    assert [m.accepted for m in again] == [None, "remembered", None, "remembered"]
    assert again[1] == Match.from_json(json.loads(json.dumps(again[1].to_json())))
    # an entry that a stricter filter left out is a proposal again
    assert not recall(book, ["CD4 T"], small("B cells"))[0].confirmed
    assert book["builtin"] == {"B": "B cell"}
