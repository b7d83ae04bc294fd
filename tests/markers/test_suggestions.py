"""The first suggestion is a biologist's, and what is uncertain is never filled in or accepted."""

from __future__ import annotations

import pytest

from scmpt_core.markers import accept_exact, likely, open_database, propose, suggest
from scmpt_core.ontology import name_of
from tests.markers.test_matching import small

# names of PanglaoDB and CellMarker; ids where our reader of these has them from a table
BLOOD = small(
    "T cells", "T helper cells", "T cytotoxic cells", "T memory cells", "T cells naive",
    "T regulatory cells", "T follicular helper cells", "Gamma delta T cells", "NK cells",
    "B cells", "B cells naive", "Plasma cells", "Monocytes", "Macrophages", "Dendritic cells",
    "Plasmacytoid dendritic cells", "Neutrophils", "Basophils", "Mast cells", "Megakaryocytes",
    "Hematopoietic stem cells", "Embryonic stem cells", "Nuocytes",
    **{"T helper cells": "CL:0000492", "T cytotoxic cells": "CL:0000794",
       "Erythroid-like and erythroid precursor cells": "CL:0000764",
       "Natural killer T cells": "CL:0000814"},
)  # fmt: skip
TISSUE = small(
    "Epithelial cells", "Endothelial cells", "Fibroblasts", "Smooth muscle cells", "Pericytes",
    "Myocytes", "Enteroendocrine cells", "Enterocytes", "Enterochromaffin cells", "Goblet cells",
    "Crypt", "Clara cells", "Basal cells", "Paneth cells", "Schwann cells", "Macrophages",
    "Pulmonary alveolar type I cells", "Pulmonary alveolar type II cells", "B cells",
    "Alpha cells", "Delta cells", "Gamma (PP) cells", "Hepatic stellate cells", "T cells",
    "Proximal tubule cells", "Distal tubule cells", "Principal cells", "Podocytes",
    "Hematopoietic stem cells", "Plasma cells", "Cancer-associated fibroblast",
    **{"Acinar cells": "CL:0002064", "Satellite cells": "CL:0000594"},
)  # fmt: skip
BRAIN = small(
    "Neurons", "GABAergic neurons", "Glutaminergic neurons", "Interneurons", "Astrocytes",
    "Oligodendrocytes", "Microglia", "Müller cells", "Endothelial cells", "Mast cells",
    "Neutrophils", "Purkinje neurons", "Pyramidal cells", "Plasmacytoid dendritic cells",
    "Plasma cells", "B cells", **{"Neural stem/precursor cells": "CL:0011020"},
)  # fmt: skip

FIRST = {  # label → the first suggestion, and whether it may be filled in
    "Treg": (BLOOD, "T regulatory cells", True),
    "NKT": (BLOOD, "Natural killer T cells", True),
    "gdT": (BLOOD, "Gamma delta T cells", True),
    "gamma delta T": (BLOOD, "Gamma delta T cells", True),
    "T gamma": (BLOOD, "T cells", True),
    "Tfh": (BLOOD, "T follicular helper cells", True),
    "Th17": (BLOOD, "T helper cells", True),
    "CD8 T cells": (BLOOD, "T cells", True),  # wider, yet not too wide
    "CD8 exhausted": (BLOOD, "T cells", True),
    "CD4 TEM": (BLOOD, "T memory cells", True),
    "NK dim": (BLOOD, "NK cells", True),
    "NK_CD56bright": (BLOOD, "NK cells", True),
    "Plasmablast": (BLOOD, "Plasma cells", True),
    "cDC1": (BLOOD, "Dendritic cells", True),  # the ontology says plasmacytoid, too
    "ASDC": (BLOOD, "Dendritic cells", True),
    "HSPC": (BLOOD, "Hematopoietic stem cells", True),
    "CD34+ HSC": (BLOOD, "Hematopoietic stem cells", True),
    "Myeloid": (BLOOD, "Macrophages", False),  # of many kinds
    "Granulocytes": (BLOOD, "Neutrophils", False),
    "ILC": (BLOOD, "Nuocytes", False),  # NK cells are another kind
    "Stem": (BLOOD, "Embryonic stem cells", False),
    "SPP1+ Macrophage": (BLOOD, "Macrophages", True),
    "AT1": (TISSUE, "Pulmonary alveolar type I cells", True),
    "AT2": (TISSUE, "Pulmonary alveolar type II cells", True),
    "Alveolar type 2": (TISSUE, "Pulmonary alveolar type II cells", True),
    "Type II pneumocytes": (TISSUE, "Pulmonary alveolar type II cells", True),
    "PP": (TISSUE, "Gamma (PP) cells", True),
    "gamma": (TISSUE, "Gamma (PP) cells", True),
    "Acinar": (TISSUE, "Acinar cells", True),
    "CAF": (TISSUE, "Cancer-associated fibroblast", True),
    "iCAF": (TISSUE, "Fibroblasts", True),
    "Capillary": (TISSUE, "Endothelial cells", True),
    "Lymphatic EC": (TISSUE, "Endothelial cells", True),
    "Secretory": (TISSUE, "Clara cells", False),
    "Skeletal muscle": (TISSUE, "Myocytes", True),
    "PT": (TISSUE, "Proximal tubule cells", True),
    "DCT": (TISSUE, "Distal tubule cells", True),
    "SMC": (TISSUE, "Smooth muscle cells", True),
    "Excitatory neuron": (BRAIN, "Glutaminergic neurons", True),
    "Inhibitory neuron": (BRAIN, "GABAergic neurons", True),
    "L2/3 IT": (BRAIN, "Glutaminergic neurons", True),
    "PVALB": (BRAIN, "Interneurons", True),
    "SST": (BRAIN, "Interneurons", True),
    "Microglia": (BRAIN, "Microglia", True),
    "Oligo": (BRAIN, "Oligodendrocytes", True),
}
# label → what it may stand for; all of these are suggested, none is filled in
OPEN = {
    "HSC": (TISSUE, {"Hematopoietic stem cells", "Hepatic stellate cells"}),
    "HSC_2": (TISSUE, {"Hematopoietic stem cells", "Hepatic stellate cells"}),
    "IPC": (BRAIN, {"Plasmacytoid dendritic cells", "Neural stem/precursor cells"}),
    "Neu": (BRAIN, {"Neurons", "Neutrophils"}),
    "MC": (BRAIN, {"Mast cells", "Müller cells"}),
    "PC": (BRAIN, {"Plasma cells", "Purkinje neurons", "Pyramidal cells"}),
    "EC": (TISSUE, {"Endothelial cells", "Enterocytes", "Enterochromaffin cells",
                    "Epithelial cells"}),
    "BC": (TISSUE, {"B cells", "Basal cells"}),
    "T/NK": (BLOOD, {"T cells", "NK cells"}),
    "NK_T?": (BLOOD, {"T cells", "NK cells"}),
    "B/Plasma": (BLOOD, {"B cells", "Plasma cells"}),
    "Monocytes and Macrophages": (BLOOD, {"Monocytes", "Macrophages"}),
}  # fmt: skip
NOTHING = ["doublet", "Multiplets", "Unknown", "other", "NA", "low quality", "cluster 3", "7",
           "zzq", "MT-high"]  # fmt: skip
NO_LOOKS = [("ASDC", TISSUE), ("PT", BLOOD), ("PVALB", BLOOD), ("SST", BLOOD)]


@pytest.mark.parametrize("label", FIRST)
def test_the_first_suggestion(label):
    database, entry, filled = FIRST[label]
    found = suggest(label, database)
    assert found[0].entry == entry
    assert likely(found) == (entry if filled else None)


@pytest.mark.parametrize("label", OPEN)
def test_a_label_of_several_types_suggests_each_and_waits_for_a_person(label):
    database, entries = OPEN[label]
    found = {s.entry: s for s in suggest(label, database)}
    assert entries <= set(found)
    assert {found[entry].how for entry in entries} <= {"abbreviation", "several types"}
    for entry in entries:
        others = {name_of(database.entry(e).term) for e in entries if e != entry}
        assert all(other in found[entry].because for other in others)
    assert likely(suggest(label, database)) is None
    assert not accept_exact([label], database)[0].confirmed
    assert propose([label], database)[0].entry is None


def test_the_same_abbreviation_in_a_database_is_not_taken_for_the_same():
    match = accept_exact(["HSC"], small("HSC", "Hepatic stellate cells"))[0]
    assert (match.confirmed, match.suggestions[0].entry) == (False, "HSC")
    assert "the same words, but it may mean" in match.suggestions[0].because
    # two types joined are the same two in any order
    assert accept_exact(["T/NK"], small("NK / T"))[0].entry == "NK / T"


def test_every_meaning_is_suggested_however_many():
    names = ["Plasma cells", "Purkinje cell", "Pyramidal cells", "Paneth cells", "Pericytes",
             "renal principal cell", "parietal cell"]  # fmt: skip
    assert {s.entry for s in suggest("PC", small(*names), 2)} == set(names)


@pytest.mark.parametrize("label", NOTHING)
def test_noise_suggests_nothing(label):
    for database in (BLOOD, TISSUE, BRAIN, open_database("builtin")):
        assert suggest(label, database) == ()


@pytest.mark.parametrize(("label", "database"), NO_LOOKS)
def test_a_shared_letter_or_two_is_no_likeness(label, database):
    assert not [s.entry for s in suggest(label, database) if s.how == "looks alike"]


def test_what_looks_alike_is_suggested_and_never_filled_in():
    for label, entry in (("dentritic cels", "Dendritic cells"), ("Enteric", "Enteric glia X")):
        found = suggest(label, small("Dendritic cells", "Enteric glia X"))
        assert [(s.entry, s.how) for s in found] == [(entry, "looks alike")]
        assert likely(found) is None
        assert not accept_exact([label], small(entry))[0].confirmed


def test_a_narrower_entry_before_one_far_too_wide():
    found = suggest("acinar cell", small("Epithelial cells", "pancreatic acinar cell"))
    assert [(s.entry, s.how) for s in found] == [
        ("pancreatic acinar cell", "descendant"), ("Epithelial cells", "ancestor")
    ]  # fmt: skip
    assert likely(found) == "pancreatic acinar cell"
    both = small("Epithelial cells", "pancreatic acinar cell", "acinar cell of salivary gland")
    assert likely(suggest("acinar cell", both)) is None
    # two steps are too many to fill in
    assert likely(suggest("ILC", small("NK cells"))) is None


def test_of_two_equally_near_types_the_one_that_says_more():
    found = suggest("LAMP5", small("Interneurons", "Neurons"))
    assert found[0].entry == "Interneurons"
