"""Tables of one's own: shapes that are read, repairs that are told, and what is refused."""

from __future__ import annotations

import pytest

from scmpt_core.errors import DataError
from scmpt_core.markers import open_database
from tests.markers.test_databases import table

TWO = {"T cell": {"CD3D", "CD3E"}, "B cell": {"CD19"}}


def read(tmp_path, text: str):
    """Cell types with their genes, and the notes."""
    database = open_database(table(tmp_path, text))
    return {n: set(e.genes) for n, e in database.entries.items()}, database.notes


@pytest.mark.parametrize(
    "text",
    [
        "cell type,gene\nT cell,CD3D\nT cell,CD3E\nB cell,CD19\n",
        "Gene_Symbol;Cell.Type\nCD3D;T cell\nCD3E;T cell\n\nCD19;B cell\n",
        "T cell\tCD3D CD3E\nB cell\tCD19\n",
        "\ufeffno,celltype,marker\n1,T cell,CD3D\n2,T cell,CD3E\n3,B cell,CD19\n",
        "population,gene\nT cell,CD3D\nT cell,CD3E\nB cell,CD19\n",
        'label,genes\nT cell,"CD3D, CD3E"\nB cell,CD19\n',
    ],
)
def test_a_table_of_ones_own(tmp_path, text):
    database = open_database(table(tmp_path, text))
    assert {n: set(e.genes) for n, e in database.entries.items()} == {
        "T cell": {"CD3D", "CD3E"}, "B cell": {"CD19"}
    }  # fmt: skip
    assert database.entry("B cell").term == "CL:0000236"
    assert database.title == "custom, file mine.csv"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.csv is empty"),
        ("cell type,gene\n", "has a header and no line below it"),
        ("cell type,gene\nT cell,CD3D\n,CD19\n", "line 3 has no cell type beside the gene 'CD19'"),
        ("cell type,gene\nT cell,\n", "line 2 has no gene beside the cell type 'T cell'"),
        (
            "cell type,gene\nT cell,CD3D\n\nB cell\n",
            r"line 4 has 1 columns, .*: \['B cell'\]",
        ),
        ("a,b,c\n1,2,3\n", "line 1: no cell type among the columns 'a', 'b', 'c'"),
        ("type,label,gene\na,b,c\n", "several columns that may be cell type among"),
        ('cell type,gene\n"T cell,CD3D\n', "line 2: unexpected end of data"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        open_database(table(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("CD3D,T cell\nCD3E,T cell\nCD19,B cell\n", None),
        ("T cell;CD3D,CD3E\nB cell;CD19\n", None),
        ("T cell,CD3D;CD3E\nB cell,CD19\n", None),
        ('"T cell";"CD3D,CD3E"\n"B cell";"CD19"\n', None),
        ("sep=;\ncell type;gene\nT cell;CD3D,CD3E\nB cell;CD19\n", None),
        ("cell type,gene\rT cell,CD3D\rT cell,CD3E\rB cell,CD19\r", None),
        ("cell type,gene\r\nT cell,CD3D CD3E\r\nB cell,CD19\r\n", None),
        ("Celltype name,Gene ID\nT cell,CD3D\nT cell,CD3E\nB cell,CD19\n", None),
        ("kind,what\nT cell,CD3D CD3E\nB cell,CD19\n", "line 1 was read as names of the columns"),
        ("T cell,B cell\nCD3D,CD19\nCD3E,\n", "a cell type over each column"),
        ("id,Gene type,Gene name,cell type\n"
         "9,coding,CD3D CD3E,T cell\n3,coding,CD19,B cell\n", "'Gene name' was read as the genes"),
    ],
)  # fmt: skip
def test_the_column_of_the_genes_is_found(tmp_path, text, note):
    path = tmp_path / "mine.csv"
    path.write_bytes(text.encode())  # line ends as they are
    database = open_database(path)
    assert {n: set(e.genes) for n, e in database.entries.items()} == TWO
    assert [note in said for said in database.notes] == ([True] if note else [])


def test_a_separator_line_keeps_the_numbers_of_lines(tmp_path):
    with pytest.raises(DataError, match="line 4 has no cell type beside the gene 'CD19'"):
        read(tmp_path, "sep=;\ncell type;gene\nT cell;CD3D\n;CD19\n")


def test_only_higher_genes_of_a_test_are_markers(tmp_path):
    text = (
        '"","p_val","avg_log2FC","pct.1","pct.2","p_val_adj","cluster","gene"\n'
        '"CD3D",0,1.5,0.9,0.1,0,"T","CD3D"\n"LYZ",0,-2,0.1,0.9,0,"T","LYZ"\n'
        '"LYZ.1",0,2,0.9,0.1,0,"Mono","LYZ"\n"CD14",0,NA,0.9,0.1,0,"Mono","CD14"\n'
    )
    left_out = ("2 rows left out: avg_log2FC is not above 0",)
    assert read(tmp_path, text) == ({"T": {"CD3D"}, "Mono": {"LYZ"}}, left_out)
    scanpy = "group,names,logfoldchanges\nT,CD3D,1\nT,LYZ,-1\n"
    assert read(tmp_path, scanpy)[0] == {"T": {"CD3D"}}
    with pytest.raises(DataError, match="line 3 has 'much' as its fold change"):
        read(tmp_path, scanpy.replace("-1", "much"))


def test_every_gene_that_is_not_kept_is_told(tmp_path):
    good = "CD3D CD3E CD3G CD2 CD5 CD7 TRAC IGJ ENSG00000177455.9"
    bad = "CD19- CD56 =1+1 1-Mar Sep-02 Cd3d"
    found, notes = read(tmp_path, f"cell type,gene\nT cell,{good} {bad}\nOdd,CD56\n")
    kept = {"CD3D", "CD3E", "CD3G", "CD2", "CD5", "CD7", "TRAC", "JCHAIN", "CD19"}
    assert found == {"T cell": kept}
    assert notes == (
        "3 of 15 genes are no human symbol and left out: CD19-, CD56, =1+1",
        "1 of 15 genes are symbols of the mouse and left out: Cd3d",
        "2 of 15 genes are dates that a spreadsheet made of genes and left out: 1-Mar, Sep-02 "
        "(write the symbol of today, as MARCHF1 for March 1 and SEPTIN2 for September 2)",
        "1 of 15 genes are Ensembl ids, read as their symbols: ENSG00000177455.9",
        "1 of 15 genes are old symbols, read as those of today: IGJ as JCHAIN",
        "1 types left out, of which no gene is left: Odd",
    )


def test_names_of_the_same_words_are_one_entry(tmp_path):
    found, notes = read(
        tmp_path, "cell type,gene\nT cell,CD3D\nT cells,CD3E\nT cell,CD2\nT Cell,CD5\nB,CD19\n"
    )
    assert found == {"T cell": {"CD3D", "CD3E", "CD2", "CD5"}, "B": {"CD19"}}
    assert notes == (
        "2 names joined to another of the same words: T cells → T cell, T Cell → T cell",
    )


def test_rows_of_another_species_are_left_out(tmp_path):
    text = "species,cell type,gene\nHuman,T,CD3D\nMouse,T,TRAC\nHomo sapiens,B,CD19\n9606,B,CD22\n"
    assert read(tmp_path, text) == (
        {"T": {"CD3D"}, "B": {"CD19", "CD22"}},
        ("1 rows left out: their species is 'Mouse' 1×",),
    )
    mostly = "mouse,B,Cd19\nmouse,B,Cd79a\n" * 2000 + "human,B,CD19\n"
    assert read(tmp_path, f"species,cell type,gene\n{mostly}")[0] == {"B": {"CD19"}}
    with pytest.raises(DataError, match=r"no gene is left\. 1 rows .* species is 'rat'"):
        read(tmp_path, "organism,cell type,gene\nrat,T,CD3D\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cell type,gene\nT,Cd3d\nT,Cd3e\nB,CD19\n",
         r"looks like mouse: 2 of 3 genes .*\(Cd3d, Cd3e\), 1 of the human"),
        ("cell type,gene\nT,ENSMUSG00000032094\nB,ENSMUSG00000030724\n", 
         "looks like mouse: 2 of 2"),
        ("cell type,gene\nT,alpha\nT,beta\nB,CD19\n",
         r"no column holds genes of the human. column 1 \('cell type'\) has 0 among 2 values; "
         r"column 2 \('gene'\) has 1 among 3"),
        ("gene,cell type\nT cell,CD3D\nB cell,CD19\n", r"column 2 \('cell type'\) has 2 among 2"),
        ("SST,GAD1\nVIP,GAD2\n", "both columns hold genes"),
        ("T cell,CD3D\nB cell,CD19,MS4A1\n", "line 2 has 3 columns, the first line 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_with_counts(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        open_database(table(tmp_path, text))
