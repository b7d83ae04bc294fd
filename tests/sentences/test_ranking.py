"""Cell sentences: order, zeros, ties."""

from __future__ import annotations

import numpy as np

from scmpt_core.sentences import cell_sentences
from tests.conftest import toy
from tests.helpers import cells_of


def test_falling_expression_and_no_zeros(counts):
    cells = cells_of(counts)
    dense = cells.expression.toarray()
    for row, sentence in zip(dense, cell_sentences(cells), strict=True):
        genes = sentence.split()
        assert set(genes) == set(cells.genes[row > 0])
        values = [row[cells.genes.tolist().index(g)] for g in genes]
        assert values == sorted(values, reverse=True)


def test_no_order_of_rows_or_columns_changes_a_sentence(counts):
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(counts.n_obs), rng.permutation(counts.n_vars)
    shuffled = counts[rows][:, columns].copy()
    expected = cell_sentences(cells_of(counts))
    assert cell_sentences(cells_of(shuffled)) == [expected[r] for r in rows]


def test_a_cell_reads_the_same_alone(counts):
    cells = cells_of(counts)
    assert cell_sentences(cells.take(np.array([7]))) == [cell_sentences(cells)[7]]


def test_ties_depend_on_the_cell_and_not_on_the_alphabet():
    adata = toy()
    adata.X.data[:] = 1.0  # every expressed gene of a cell is tied
    sentences = [s.split() for s in cell_sentences(cells_of(adata))]
    assert all(s != sorted(s) for s in sentences)
    # over many cells each of two tied genes comes first about as often
    both = [s for s in sentences if "CD3D" in s and "LYZ" in s]
    first = np.mean([s.index("CD3D") < s.index("LYZ") for s in both])
    assert 0.3 < first < 0.7


def test_empty_cell(counts):
    matrix = counts.X.tolil()
    matrix[0] = 0
    counts.X = matrix.tocsr()
    assert cell_sentences(cells_of(counts))[0] == ""
