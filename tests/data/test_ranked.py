"""Genes that vary, and genes that mark a group: planted, and against scipy's own tests."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats

from scmpt_core.cells import Cells
from scmpt_core.data.ranked import highly_variable, ranked_genes, z_scores
from tests.conftest import SYMBOLS, TYPES
from tests.helpers import cells_of


def types_of(counts) -> np.ndarray:
    return counts.obs["cell_type"].to_numpy(str)


def dense_cells(x: np.ndarray) -> Cells:
    n_cells, n_genes = x.shape
    genes = np.array([f"G{i}" for i in range(n_genes)])
    return Cells(sp.csr_matrix(x.astype(np.float32)), genes, np.arange(n_cells).astype(str))


def test_planted_markers_come_first(counts):
    found = ranked_genes(cells_of(counts), types_of(counts), 3)
    assert {name: {row.symbol for row in rows} for name, rows in found.items()} == {
        name: set(markers) for name, markers in TYPES.items()
    }


def test_numbers_are_those_of_an_independent_test(counts):
    cells, inside = cells_of(counts), types_of(counts) == "T"
    x = cells.expression.toarray().astype(np.float64)
    p = stats.mannwhitneyu(x[inside], x[~inside], method="asymptotic", use_continuity=False).pvalue
    adjusted = stats.false_discovery_control(p)
    fold = np.log2(np.expm1(x[inside].mean(0)) / np.expm1(x[~inside].mean(0)))
    rows = ranked_genes(cells, types_of(counts), len(SYMBOLS))["T"]
    assert {row.symbol for row in rows} <= set(cells.genes[fold > 0])
    assert [row.p_adjusted for row in rows] == sorted(row.p_adjusted for row in rows)
    for row in rows:
        gene = SYMBOLS.index(row.symbol)
        assert row.p_adjusted == pytest.approx(adjusted[gene], rel=1e-9)
        assert row.log2_fold_change == pytest.approx(fold[gene], rel=1e-6)
        assert row.share_inside == pytest.approx((x[inside, gene] > 0).mean())
        assert row.share_outside == pytest.approx((x[~inside, gene] > 0).mean())


def test_scores_with_many_ties():
    """Few distinct values, many zeros, a constant gene: each z against scipy's p and side."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 4, (60, 20)) * (rng.random((60, 20)) < 0.6)
    x[:, 0] = 2
    groups = np.arange(60) % 3
    inside = sp.csr_matrix((groups == np.arange(3)[:, None]).astype(float))
    z = z_scores(sp.csc_matrix(x.astype(float)), inside)
    assert (z[:, 0] == 0).all()
    for group in range(3):
        one, other = x[groups == group, 1:], x[groups != group, 1:]
        test = stats.mannwhitneyu(one, other, method="asymptotic", use_continuity=False)
        np.testing.assert_allclose(2 * stats.norm.sf(np.abs(z[group, 1:])), test.pvalue, rtol=1e-9)
        np.testing.assert_array_equal(
            np.sign(z[group, 1:]), np.sign(test.statistic - one.shape[0] * other.shape[0] / 2)
        )


def test_small_groups_are_left_out_but_still_compared_with(counts):
    cells, groups = cells_of(counts), types_of(counts).astype("U9")
    groups[:2] = "two cells"
    found = ranked_genes(cells, groups, 3)
    assert set(found) == set(TYPES)
    # two T cells among the others: their markers are expressed outside
    rows = ranked_genes(cells, groups, len(SYMBOLS))["T"]
    marker = next(row for row in rows if row.symbol == "CD3D")
    others = cells.expression.toarray()[groups != "T", SYMBOLS.index("CD3D")]
    assert marker.share_outside == pytest.approx((others > 0).mean())


def test_one_group_has_nothing_to_be_compared_with(counts):
    assert ranked_genes(cells_of(counts), np.repeat("T", len(counts)), 3) == {}


def test_random_groups_have_no_sure_markers(counts):
    groups = np.random.default_rng(0).permutation(types_of(counts))
    rows = [row for found in ranked_genes(cells_of(counts), groups, 3).values() for row in found]
    assert min(row.p_adjusted for row in rows) > 0.05


def test_one_group_a_cell(counts):
    with pytest.raises(ValueError, match="3 groups for 120 cells"):
        ranked_genes(cells_of(counts), np.array(["a", "b", "c"]), 3)


def test_highly_variable_are_those_of_largest_variance():
    rng = np.random.default_rng(0)
    x = rng.poisson(1.0, (200, 60)).astype(float)
    x[:, 10:20] += rng.choice([0, 6], (200, 10))  # planted
    x[:, 50:] = 0
    chosen = highly_variable(dense_cells(x), 10)
    assert chosen.tolist() == np.sort(np.argsort(-x.var(axis=0))[:10]).tolist()
    assert chosen.tolist() == list(range(10, 20))
    assert highly_variable(dense_cells(x), 55).tolist() == list(range(50))  # the rest are constant
    assert highly_variable(dense_cells(x), 60).tolist() == list(range(60))


def test_columns_in_another_order_give_the_same_genes():
    x = np.random.default_rng(1).poisson(0.5, (100, 50)).astype(float)
    x[:, 25:] = x[:, :25]  # each gene twice: ties everywhere
    order = np.random.default_rng(2).permutation(50)
    chosen = set(highly_variable(dense_cells(x), 11))
    assert {int(order[i]) for i in highly_variable(dense_cells(x[:, order]), 11)} == chosen
    assert len(chosen) == 12
