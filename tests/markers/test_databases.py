"""Databases: what is kept of each file, what is refused, and that the published file is known."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from scmpt_core.data.genes import ensembl_to_symbol
from scmpt_core.errors import FileRefused, MissingComponent, ScmptError, SettingError
from scmpt_core.markers import MARKERS, Filters, list_databases, open_database
from scmpt_core.markers.builtin import FILE as BUILTIN_FILE
from scmpt_core.markers.panglaodb import TERMS
from scmpt_core.ontology import name_of

REAL = Path(__file__).parents[3] / "shared" / "data" / "markers"
HEADER = (
    "species\tofficial gene symbol\tcell type\tnicknames\tcanonical marker\torgan\t"
    "sensitivity_human\tsensitivity_mouse\tspecificity_human\tspecificity_mouse"
)
ROWS = [
    "Mm Hs\tCD3D\tT cells\tT3D\t1\tImmune system\t0.96\t0.9\t0.05\t0.1",
    "Hs\tCD3E\tT cells\tNA\tNA\tImmune system\tNA\tNA\tNA\tNA",
    "Mm\tCD8B1\tT cells\tNA\t1\tImmune system\t0.5\t0.4\t0.3\t0.2",
    "None\tTCRG-C2\tT cells\tNA\t1\tImmune system\tNA\tNA\tNA\tNA",
    "4\tDEPP1\tAlpha cells\tNA\t1\tPancreas\tNA\tNA\tNA\tNA",
    "Mm Hs\tGCG\tAlpha cells\tGLP1|GLP2\t1\tPancreas\t0.8\t0.7\t0.02\t0.01",
    "Mm Hs\tNA\tAlpha cells\tNA\t0\tPancreas\t0\t0\t0\t0",
]


def real(name: str) -> Path:
    if not (REAL / name).exists():
        pytest.skip(f"{name}: the real data are not on this machine")
    return REAL / name


@pytest.fixture
def panglao(tmp_path):
    path = tmp_path / "small.tsv.gz"
    path.write_bytes(gzip.compress("\n".join([HEADER, *ROWS]).encode()))
    return path


def table(tmp_path, text: str) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_panglaodb_keeps_species_evidence_and_says_what_it_left_out(panglao):
    database = open_database(panglao)
    assert list(database.entries) == ["Alpha cells", "T cells"]
    # a gene called NA is a gene, not a missing value
    assert set(database.entry("Alpha cells").genes) == {"GCG", "NA"}
    cells = database.entry("T cells")
    assert set(cells.genes) == {"CD3D", "CD3E"}
    first, second = cells.genes["CD3D"], cells.genes["CD3E"]
    assert (first.canonical, first.sensitivity, first.specificity) == (True, 0.96, 0.05)
    assert first.also == ("T3D",)
    assert (second.canonical, second.sensitivity, second.also) == (None, None, ())
    assert database.entry("Alpha cells").genes["NA"].canonical is False
    assert (cells.term, cells.organs) == ("CL:0000084", ("Immune system",))
    assert database.notes == ("2 rows left out: their species is 'None' 1×, '4' 1×",)
    assert database.version == "not the published file (small.tsv.gz)"


def test_panglaodb_filters(panglao):
    mouse = open_database(panglao, Filters(species="Mm"))
    assert set(mouse.entry("T cells").genes) == {"CD3D", "CD8B1"}
    assert mouse.entry("T cells").genes["CD3D"].sensitivity == 0.9
    narrow = open_database(panglao, Filters(organ="Pancreas", canonical_only=True))
    assert {n: set(e.genes) for n, e in narrow.entries.items()} == {"Alpha cells": {"GCG"}}
    assert narrow.title.endswith("human, canonical only, organ Pancreas")
    with pytest.raises(SettingError, match="no organ 'Liver'; there are: Immune system, Pancreas"):
        open_database(panglao, Filters(organ="Liver"))


def test_the_published_file_is_known_and_read_whole(monkeypatch):
    path = real("PanglaoDB_markers_27_Mar_2020.tsv.gz")
    monkeypatch.setenv("SCMPT_PANGLAODB_FILE", str(path))
    database = open_database("panglaodb", Filters(canonical_only=True))
    assert database.title == "panglaodb, 27 March 2020, human, canonical only"
    both = open_database("panglaodb"), open_database("panglaodb", Filters(species="Mm"))
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == 8286
    assert len({row["cell type"] for row in rows}) == 178
    for read, species in zip(both, ("Hs", "Mm"), strict=True):
        pairs = {
            (r["cell type"], r["official gene symbol"].strip())  # two end in a blank
            for r in rows
            if r["species"] in (species, "Mm Hs")
        }
        assert pairs == {(e.name, g) for e in read.entries.values() for g in e.genes}
    assert json.loads(json.dumps(database.to_json()))["notes"] == [
        "33 rows left out: their species is 'None' 30×, '4' 3×"
    ]


def test_terms_of_panglaodb_are_terms_of_the_ontology(monkeypatch):
    with TERMS.open(encoding="utf-8") as handle:
        ours = list(csv.DictReader(handle))
    assert [name_of(row["id"]) if row["id"] else "" for row in ours] == [r["term"] for r in ours]
    monkeypatch.setenv("SCMPT_PANGLAODB_FILE", str(real("PanglaoDB_markers_27_Mar_2020.tsv.gz")))
    assert {row["name"] for row in ours} <= set(open_database("panglaodb").entries)


def test_builtin_holds_only_symbols_in_use_terms_of_the_ontology_and_references():
    database = open_database("builtin", Filters(canonical_only=True))
    in_use = set(ensembl_to_symbol().values())
    with BUILTIN_FILE.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    terms = {row["cell type"]: row["term"] for row in rows}
    assert len(database.entries) == len(terms) == len(rows) >= 60
    assert all(len(set(row["genes"].split())) == len(row["genes"].split()) for row in rows)
    for entry in database.entries.values():
        assert set(entry.genes) <= in_use, entry.name
        assert 5 <= len(entry.genes) <= 12, entry.name
        assert name_of(entry.term) == terms[entry.name]
        assert re.fullmatch(r"10\.\d{4,5}/[\w.()/-]+", entry.reference), entry.name
    ids = [entry.term for entry in database.entries.values()]
    assert len(set(ids)) == len(ids)


def test_only_the_name_opens_the_builtin(tmp_path):
    database = open_database(table(tmp_path, BUILTIN_FILE.read_text(encoding="utf-8")))
    assert (database.name, database.version) == ("custom", "file mine.csv")
    assert open_database("builtin").title == "builtin, version 2, human"


def test_no_row_of_the_builtin_stands_for_other_types_too():
    entries = open_database("builtin").entries.values()
    by_term = {entry.term: set(entry.genes) for entry in entries}
    assert "MUC2" in by_term["CL:0019031"]  # goblet cell of the intestine
    assert "MUC5AC" in by_term["CL:0002370"]  # and of the airway
    assert not {"CL:0000160", "CL:0000064", "CL:0000188"} & by_term.keys()
    assert not {"CD44", "S100A4", "ITGB1"} & (by_term["CL:0000813"] | by_term["CL:0000897"])
    assert {"CL:0000771", "CL:0000583", "CL:0000980", "CL:0000681"} <= by_term.keys()


def test_files_that_cannot_be_read(tmp_path, panglao, monkeypatch):
    panglao.write_bytes(panglao.read_bytes()[:-20])
    with pytest.raises(FileRefused, match="damaged gzip"):
        open_database(panglao)
    latin = table(tmp_path, "")
    latin.write_bytes("Müller cells,GFAP".encode("latin-1"))
    with pytest.raises(FileRefused, match="not text in UTF-8 \\(byte 1\\)"):
        open_database(latin)
    latin.write_bytes(b"T cell,CD3\0D\n")
    with pytest.raises(FileRefused, match="NUL character \\(character 10\\)"):
        open_database(latin)
    for magic in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        latin.write_bytes(magic + bytes(100))
        with pytest.raises(FileRefused, match=r"Excel workbook.*save the sheet .* as CSV"):
            open_database(latin)
    monkeypatch.setattr("scmpt_core.markers.source.MOST_BYTES", 1000)
    latin.write_bytes(gzip.compress(b"T cell,CD3D\n" * 100))
    with pytest.raises(FileRefused, match="holds more than"):
        open_database(latin)


def test_what_is_not_there_says_what_to_do(monkeypatch):
    with pytest.raises(MissingComponent, match="scmpt_core download panglaodb"):
        open_database("panglaodb")
    with pytest.raises(MissingComponent, match="set SCMPT_CELLMARKER_FILE"):
        open_database("cellmarker")
    monkeypatch.setenv("SCMPT_PANGLAODB_FILE", "/nowhere")
    with pytest.raises(MissingComponent, match="SCMPT_PANGLAODB_FILE is /nowhere"):
        open_database("panglaodb")
    with pytest.raises(SettingError, match="'panglao' is neither a file nor one of the databases"):
        open_database("panglao")
    with pytest.raises(SettingError, match="species is 'Rn'"):
        Filters(species="Rn")
    with pytest.raises(SettingError, match="builtin cannot be filtered by species"):
        open_database("builtin", Filters(species="Mm"))


@pytest.mark.parametrize("info", MARKERS, ids=lambda info: info.name)
def test_contract(info):
    row = next(r for r in list_databases() if r["name"] == info.name)
    assert row["summary"]
    assert row["reference"]
    assert row["ready"] != bool(row["how_to_get"]) or info.locate is None
    assert set(info.filters) <= set(Filters().to_json())
    if row["ready"] and info.locate:
        database = open_database(info.name)
        assert database.name == info.name
        with pytest.raises(ScmptError, match="there are: "):
            database.entry("no such type")
