"""Every sentence format: one contract, then what each of them says by itself."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer

from scmpt_core.cells import Cells
from scmpt_core.encoders import EncoderOptions
from scmpt_core.errors import DataError, MissingComponent, ModelError, SettingError
from scmpt_core.housekeeping import is_housekeeping
from scmpt_core.sentences import FORMATS, MOST_PREFIX, cell_sentences, get_format
from scmpt_core.sentences.levels import ENDS, NAMES
from tests.helpers import cells_of, random_cells

TABLE = "symbol,description\nCD3D,CD3 delta subunit of T-cell receptor complex\nLYZ,lysozyme\n"


@pytest.fixture(autouse=True)
def descriptions(tmp_path, monkeypatch):
    path = tmp_path / "genes.csv"
    path.write_text(TABLE)
    monkeypatch.setenv("SCMPT_GENE_DESCRIPTIONS", str(path))
    return path


def make(name, cells):
    """The format, fitted where it is of that kind."""
    return get_format(name).make("human blood:" if name == "prefix" else "").fit(cells)


every = pytest.mark.parametrize("name", [f.name for f in FORMATS])
fitted = pytest.mark.parametrize("name", [f.name for f in FORMATS if f.fitted])


@every
def test_a_cell_reads_the_same_in_any_file_and_alone(name, counts):
    cells = cells_of(counts)
    form = make(name, cells)
    expected = cell_sentences(cells, form)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(counts.n_obs), rng.permutation(counts.n_vars)
    shuffled = cells_of(counts[rows][:, columns].copy())
    assert cell_sentences(shuffled, form) == [expected[r] for r in rows]
    assert cell_sentences(cells.take(np.array([7])), form) == [expected[7]]


@every
def test_words_are_genes_of_the_cell_each_once_and_the_formats_own(name, counts):
    cells = cells_of(counts)
    form = make(name, cells)
    words = form.arrange(cells)
    for cell in range(len(cells)):
        mine = words.of(cell)
        genes, literals = mine[mine < len(cells.genes)], mine[mine >= len(cells.genes)]
        expressed = np.sort(cells.expression[cell].indices)
        if name == "no-housekeeping":
            expressed = expressed[~is_housekeeping(cells.genes)[expressed]]
        np.testing.assert_array_equal(np.sort(genes), expressed)
        assert (literals - len(cells.genes) < len(form.literals)).all()


@every
def test_a_cell_without_genes_has_no_gene_in_its_sentence(name):
    cells = random_cells(np.array(["CD3D", "LYZ"]), [0, 2, 0])
    first, _, last = cell_sentences(cells, make(name, cells))
    assert first == last == ("human blood:" if name == "prefix" else "")


@every
def test_identities_differ_and_only_plain_is_a_word(name, counts):
    cells = cells_of(counts)
    others = [make(f.name, cells).identity() for f in FORMATS if f.name != name]
    mine = make(name, cells).identity()
    assert mine not in others
    assert mine == "plain" if name == "plain" else mine["format"] == name


@fitted
def test_a_fit_is_saved_and_is_part_of_the_identity(name, counts):
    cells = cells_of(counts)
    form, other = make(name, cells), make(name, cells.take(np.arange(60)))
    back = get_format(name).make("").restore(cells.genes, form.state())
    assert back.identity() == form.identity() != other.identity()
    assert cell_sentences(cells, back) == cell_sentences(cells, form)
    broken = dict(form.state(), weights=form.state()["weights"][:-1])
    with pytest.raises(ValueError, match="29"):
        get_format(name).make("").restore(cells.genes, broken)
    with pytest.raises(ModelError, match="not fitted"):
        cell_sentences(cells, get_format(name).make(""))


def ranked_by(cells, weights):
    """Symbols of the first cell by falling expression × weight."""
    row = cells.expression[0].toarray().ravel() * weights
    order = np.argsort(-row, kind="stable")
    return cells.genes[order[row[order] > 0]].tolist()


def three_cells(values):
    """Distinct products in the first cell, so that no tie decides."""
    genes = np.array(["A", "B", "C", "D"])
    return Cells(sp.csr_matrix(np.array(values, np.float32)), genes, np.arange(3).astype(str))


def test_specific_is_tf_idf():
    cells = three_cells([[4, 3, 2.5, 0], [5, 3, 0, 0], [6, 0, 0, 0]])
    idf = TfidfTransformer(smooth_idf=True).fit(cells.expression.astype(np.float64)).idf_
    form = make("specific", cells)
    np.testing.assert_allclose(form.weights[:3], idf[:3], rtol=1e-6)
    assert cell_sentences(cells, form)[0].split() == ranked_by(cells, idf) == ["C", "A", "B"]


def test_relative_is_expression_over_the_mean_zeros_included():
    cells = three_cells([[4, 3, 2.5, 0], [5, 3, 0, 0], [6, 0, 0, 0]])
    means = np.array([5, 2, 2.5 / 3])
    form = make("relative", cells)
    np.testing.assert_allclose(form.weights[:3], 1 / means, rtol=1e-6)
    assert cell_sentences(cells, form)[0].split() == ["C", "B", "A"]  # 3 > 1.5 > 0.8


@fitted
def test_a_gene_not_seen_in_training_weighs_as_the_median_one(name):
    train = three_cells([[4, 3, 2.5, 0], [5, 3, 0, 0], [6, 0, 0, 0]])  # D is measured, never there
    form = make(name, train)
    median = np.median(form.weights[:3])
    genes = np.array(["D", "new", "A"])
    np.testing.assert_allclose(form.weights_of(genes), [median, median, form.weights[0]])


def test_without_housekeeping_others_keep_their_order(counts):
    cells = cells_of(counts)
    gone = {"MT-CO1", "MT-ND1", "RPS6", "RPL13", "EEF1A1"}
    pairs = zip(cell_sentences(cells), cell_sentences(cells, make("no-housekeeping", cells)),
                strict=True)  # fmt: skip
    for whole, shorter in pairs:
        assert shorter.split() == [g for g in whole.split() if g not in gone]


HOUSEKEEPING = [
    "RPL13A", "RPS27", "RPLP0", "RPSA", "RPS4X", "Rpl10l", "Rps2-ps10", "MT-CO1", "mt-Nd1",
    "MALAT1", "Malat1", "EEF1A1", "Eef1b2", "EEF1A1P5", "TPT1", "Tpt1-ps3",
]  # fmt: skip
OTHERS = [
    "RPS6KA1", "Rps6kb1", "RPS19BP1", "MRPL3", "MRPS5", "MT1X", "MTOR", "EEF1AKMT1", "EEF2",
    "TPT1-AS1", "RPS10-NUDT3", "RPA1", "CD3D", "NEAT1",
]  # fmt: skip


def test_which_genes_are_housekeeping():
    assert is_housekeeping(np.array(HOUSEKEEPING)).all()
    assert not is_housekeeping(np.array(OTHERS)).any()
    assert is_housekeeping(np.array([], dtype=str)).shape == (0,)


def test_levels_hold_the_ranks_and_nothing_more():
    """Cells whose ranks change only within levels read alike; each level holds its ranks."""
    genes = np.array([f"G{i}" for i in range(200)])
    values = np.linspace(9, 1, 200, dtype=np.float32)
    within = values.copy()
    for start, end in zip([0, *ENDS[:-1]], [*ENDS[:-1], 200], strict=True):
        within[start:end] = values[start:end][::-1]
    cells = Cells(sp.csr_matrix(np.stack([values, within])), genes, np.array(["a", "b"]))
    one, other = cell_sentences(cells, make("levels", cells))
    assert one == other
    text = one
    for i in reversed(range(len(NAMES))):
        text, _, level = text.rpartition(NAMES[i])
        start, end = (0, *ENDS)[i], min(ENDS[i], 200)
        assert set(level.split()) == {f"G{k}" for k in range(start, end)}
        assert level.split() != [f"G{k}" for k in range(start, end)]
    assert text == ""


def test_a_cell_of_few_genes_has_no_empty_level():
    cells = random_cells(np.array([f"G{i}" for i in range(40)]), [10, 11])
    ten, eleven = cell_sentences(cells, make("levels", cells))
    assert "high:" not in ten.removeprefix("very high:")
    assert eleven.split()[-2] == "high:"


def test_descriptions_are_cut_and_follow_their_symbol(counts, descriptions):
    cells = cells_of(counts)
    form = make("described", cells)
    for plain, described in zip(cell_sentences(cells), cell_sentences(cells, form), strict=True):
        words = {"CD3D": "CD3D CD3 delta subunit of", "LYZ": "LYZ lysozyme"}
        assert described == " ".join(words.get(g, g) for g in plain.split())
    digest = hashlib.sha256(descriptions.read_bytes()).hexdigest()
    assert form.identity()["file_sha256"] == digest
    descriptions.write_text(TABLE.replace(",", "\t"))
    other = make("described", cells)
    assert other.descriptions.words == form.descriptions.words
    assert other.identity() != form.identity()


@pytest.mark.parametrize(
    ("text", "said"),
    [("gene,words\nCD3D,x\n", "lacks symbol and description"), ("symbol,description\n", "no gene"),
     ("", "lacks symbol"), (b"symbol,description\nA,\xff\n", "UTF-8")],
)  # fmt: skip
def test_a_table_that_is_none_is_refused(text, said, descriptions):
    descriptions.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=said):
        EncoderOptions(sentence="described")
    assert not get_format("described").ready()


def test_without_a_table_there_are_no_descriptions(monkeypatch, tmp_path):
    assert get_format("described").ready()
    for path in (tmp_path / "none.csv", None):
        monkeypatch.delenv("SCMPT_GENE_DESCRIPTIONS")
        if path is not None:
            monkeypatch.setenv("SCMPT_GENE_DESCRIPTIONS", str(path))
        with pytest.raises(MissingComponent, match="Set SCMPT_GENE_DESCRIPTIONS"):
            EncoderOptions(sentence="described")
        assert not get_format("described").ready()


def test_a_prefix_stands_before_every_cell(counts):
    cells = cells_of(counts)
    form = get_format("prefix").make("  human \n blood: ")
    assert cell_sentences(cells, form) == [f"human blood: {s}" for s in cell_sentences(cells)]
    other = get_format("prefix").make("mouse blood:")
    assert form.identity() != other.identity()


@pytest.mark.parametrize(
    ("options", "said"),
    [({"sentence": "poem"}, "there are: plain"), ({"sentence": "prefix"}, "empty"),
     ({"sentence": "prefix", "prefix": " \n"}, "empty"),
     ({"sentence": "prefix", "prefix": "x" * (MOST_PREFIX + 1)}, f"at most {MOST_PREFIX}"),
     ({"prefix": "human"}, "have no prefix")],
)  # fmt: skip
def test_options_that_do_not_go_together_are_refused(options, said):
    with pytest.raises(SettingError, match=said):
        EncoderOptions(**options)
