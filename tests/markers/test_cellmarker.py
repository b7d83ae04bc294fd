"""CellMarker 2.0 in both shapes: names in brackets, species, cancer cells, terms of its own."""

from __future__ import annotations

import pytest

from scmpt_core.errors import DataError, MissingComponent, SettingError
from scmpt_core.markers import Filters, open_database
from scmpt_core.markers.cellmarker import without_repeats
from scmpt_core.ontology import find_term, name_of
from tests.markers.test_databases import real, table

HEADER = (
    "species,tissue_class,tissue_type,uberonongology_id,cancer_type,cell_type,cell_name,"
    "cellontology_id,marker,Symbol,GeneID,Genetype,Genename,UNIPROTID,technology_seq,"
    "marker_source,PMID,Title,journal,year"
)
END = '1,protein_coding,name,P1,10x,Experiment,1,"A title, with a comma",J,2020'
ROWS = [
    f"Human,Blood,Blood,UBERON_1,Normal,Normal cell,B cell,CL_0000236,CD19,CD19,{END}",
    f"Human,Lung,Lung,UBERON_1,Normal,Normal cell,B cells,CL:0000236,CD20,MS4A1,{END}",
    f"Human,Lung,Lung,UBERON_1,Normal,Normal cell,B cell,,CD20,MS4A1,{END}",
    f"Human,Lung,Lung,UBERON_1,Lung cancer,Cancer cell,B cell,,EPCAM,EPCAM,{END}",
    f"Human,Blood,Blood,UBERON_1,Normal,Normal cell,T cell,CL_9999999,CD45RA,,{END}",
    f"Human,Blood,Blood,UBERON_1,Normal,Normal cell,T cell,CL_9999999,CD3D,CD3D,{END}",
    f"Mouse,Blood,Blood,UBERON_1,Normal,Normal cell,B cell,CL_0000236,Cd19,Cd19,{END}",
]


def test_cellmarker_joins_tissues_and_spellings(tmp_path):
    text = (
        'Tissue,CT,Gene\nBlood,CD4+ T cell,"CD4,CD3D,CD4"\nLung,CD4+ T cell,"CD4,IL7R"\n'
        'Blood,CD4 T cell,CCR7\nPancreas,Beta cell(β cell),"INS, IAPP"\nUndefined,B cell,CD19\n'
    )
    database = open_database(table(tmp_path, text))
    assert list(database.entries) == ["B cell", "Beta cell(β cell)", "CD4+ T cell"]
    helper = database.entry("CD4+ T cell")
    assert {gene: e.records for gene, e in helper.genes.items()} == {
        "CD4": 3, "CD3D": 1, "IL7R": 1, "CCR7": 1
    }  # fmt: skip
    assert helper.genes["CD4"].organs == ("Blood", "Lung")
    assert database.entry("Beta cell(β cell)").term == "CL:0000169"
    assert database.entry("B cell").organs == ()
    assert database.notes == (
        "1 names joined to another of the same words: CD4 T cell → CD4+ T cell",
    )
    lung = open_database(table(tmp_path, text), Filters(organ="Lung"))
    assert {n: set(e.genes) for n, e in lung.entries.items()} == {"CD4+ T cell": {"CD4", "IL7R"}}
    with pytest.raises(SettingError, match="cellmarker cannot be filtered by canonical only"):
        open_database(table(tmp_path, text), Filters(canonical_only=True))


def test_the_published_table(tmp_path):
    path = table(tmp_path, "\n".join([HEADER, *ROWS]))
    database = open_database(path)
    assert (database.name, list(database.entries)) == ("cellmarker", ["B cell", "T cell"])
    cells = database.entry("B cell")
    assert {g: (e.records, e.organs) for g, e in cells.genes.items()} == {
        "MS4A1": (2, ("Lung",)), "CD19": (1, ("Blood",))
    }  # fmt: skip
    assert cells.term == "CL:0000236"
    assert set(database.entry("T cell").genes) == {"CD3D"}
    assert database.entry("T cell").term == "CL:0000084"  # by its name: the id is none
    assert database.notes == (
        "1 rows left out: their species is 'Mouse' 1×",
        "1 rows of cancer cells left out",
        "1 rows left out: they give no symbol of the gene",
        "1 names joined to another of the same words: B cells → B cell",
    )
    mouse = open_database(path, Filters(species="Mm"))
    assert {n: set(e.genes) for n, e in mouse.entries.items()} == {"B cell": {"Cd19"}}
    assert "mouse" in mouse.title
    with pytest.raises(SettingError, match="no organ 'Liver'; there are: Blood, Lung"):
        open_database(path, Filters(organ="Liver"))


def test_the_id_in_the_table_comes_before_the_name(tmp_path):
    row = ROWS[0].replace("B cell,CL_0000236", "Follicular cell,CL_0000843")
    entry = open_database(table(tmp_path, f"{HEADER}\n{row}\n")).entry("Follicular cell")
    assert entry.term == "CL:0000843"
    assert name_of("CL:0000843") == "follicular B cell"


def test_what_cannot_be_told_is_refused(tmp_path, monkeypatch):
    short = table(tmp_path, "Tissue,CT,Gene\nBlood,B cell,CD19\n")
    with pytest.raises(SettingError, match=r"no column species.*mouse cannot be told"):
        open_database(short, Filters(species="Mm"))
    monkeypatch.setenv("SCMPT_CELLMARKER_FILE", str(table(tmp_path, "cell_name,CT\na,b\n")))
    with pytest.raises(DataError, match="lacks CellMarker's columns tissue_class, cell_type"):
        open_database("cellmarker")
    monkeypatch.delenv("SCMPT_CELLMARKER_FILE")
    with pytest.raises(MissingComponent, match=r"save it as CSV .*Symbol.* Tissue, CT, Gene"):
        open_database("cellmarker")


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("Regulatory T(Treg) cell", "Regulatory T cell"),
        ("T helper2 (Th2) cell", "T helper2 cell"),
        ("Beta cell(β cell)", "Beta cell"),
        ("Thymic epithelial cell (TEC)", "Thymic epithelial cell"),
        ("Innate lymphoid cell (ILCs)", "Innate lymphoid cell"),
        ("Capsular fibroblast(Fb2)", "Capsular fibroblast(Fb2)"),  # there is an Fb1 too
        ("B cell (naive)", "B cell (naive)"),
        ("Morula cell (Blastomere)", "Morula cell (Blastomere)"),
    ],
)
def test_brackets_go_where_they_say_the_name_again(name, bare):
    assert without_repeats(name) == bare


def test_abbreviations_inside_a_name_hide_no_term(tmp_path):
    names = ["Regulatory T(Treg) cell", "T helper 2(Th2) cell", "T helper2 (Th2) cell",
             "Naive T(Th0) cell", "B cell (naive)"]  # fmt: skip
    rows = "\n".join(f"Blood,{name},CD3D" for name in names)
    database = open_database(table(tmp_path, f"Tissue,CT,Gene\n{rows}\n"))
    assert {n: e.term and name_of(e.term) for n, e in database.entries.items()} == {
        "B cell (naive)": "naive B cell",
        "Naive T(Th0) cell": "naive T cell",
        "Regulatory T(Treg) cell": "regulatory T cell",
        "T helper 2(Th2) cell": "T-helper 2 cell",
    }


def test_the_human_table_loses_no_term_to_brackets():
    database = open_database(real("CellMarker2_Human_Aug.csv.gz"))
    for name, entry in database.entries.items():
        if whole := find_term(name):
            assert entry.term == whole.id
    kept = ["Alpha cell (α cell)", "Red blood cell (erythrocyte)", "Regulatory T(Treg) cell"]
    assert [database.entry(name).term for name in kept] == [
        "CL:0000171", "CL:0000232", "CL:0000815"
    ]  # fmt: skip
    assert sum(entry.term is not None for entry in database.entries.values()) > 300
