"""The user's choices on a file: each finding's remedy puts it right, nothing goes silently."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from scmpt_core.data import View, load, quality
from scmpt_core.errors import DataError
from tests.conftest import toy


def finding(dataset, code):
    return next(f for f in dataset.findings if f.code == code)


def test_remedy_of_scaled_values_is_the_other_matrix(write):
    adata = toy()
    adata.raw = adata
    adata.X = adata.X.toarray() - 3
    path = write(adata)
    broken = load(path, View(matrix="X"))
    remedy = finding(broken, "negative_values").remedy
    assert load(path, View(**remedy)).usable().expression.shape == (120, 30)


def test_remedy_of_unknown_genes_is_the_symbol_column(write):
    adata = toy()
    adata.var["my_names"] = adata.var_names.to_numpy()
    adata.var_names = [f"probe{i}" for i in range(adata.n_vars)]
    path = write(adata)
    remedy = finding(load(path), "genes_unknown").remedy
    assert remedy == {"symbols": "my_names"}
    assert "CD3D" in load(path, View(**remedy)).usable().genes
    with pytest.raises(DataError, match="var has no column"):
        load(path, View(symbols="nope"))


def test_remedy_of_empty_cells(write):
    adata = toy()
    adata.X[:3] = 0
    path = write(adata)
    assert len(load(path).usable()) == 120
    dropped = load(path, View(**finding(load(path), "empty_cells").remedy))
    assert len(dropped.usable()) == dropped.adata.n_obs == 117
    assert finding(dropped, "filtered").count == 3


def test_thresholds_are_inclusive_and_stated(write):
    adata = toy()
    genes = np.diff(adata.X.tocsr().indptr)
    limit = int(np.median(genes))
    kept = load(write(adata), View(min_genes=limit))
    assert len(kept.usable()) == (genes >= limit).sum()
    assert kept.usable().ids.tolist() == adata.obs_names[genes >= limit].tolist()
    none = load(write(adata), View(min_genes=31))
    with pytest.raises(DataError, match="leave 0 of 120"):
        none.usable()


def test_view_goes_to_json_and_back_and_refuses_nonsense():
    view = View(matrix="raw", min_genes=200, max_mito=0.2)
    assert View.from_json(view.to_json()) == view
    with pytest.raises(DataError, match="share"):
        View(max_mito=20)
    with pytest.raises(DataError, match="Unknown choices"):
        View.from_json({"surprise": 1})


def test_quality_counts_what_is_there(write):
    cells = load(write(toy())).usable()
    judged = quality(cells.expression, cells.genes, cells.counts)
    dense = toy().X.toarray()
    mito = [i for i, g in enumerate(toy().var_names) if g.startswith("MT-")]
    assert judged.counted
    np.testing.assert_allclose(judged.total, dense.sum(axis=1))
    np.testing.assert_allclose(
        judged.mitochondrial, dense[:, mito].sum(axis=1) / dense.sum(axis=1), atol=1e-6
    )


def test_remedies_are_used_up_and_never_loosen(write):
    """A finding counts only cells that stay; a remedy keeps what is stricter already."""
    adata = toy()
    adata.X[:3] = 0
    adata.X[3:6, 2:] = 0
    path = write(adata)
    view = View()
    for code in ("empty_cells", "low_quality"):
        view = view.remedied(finding(load(path, view), code).remedy)
    left = {f.code for f in load(path, view).findings}
    assert not left & {"empty_cells", "low_quality"}
    strict = View(min_genes=25, max_mito=0.01)
    assert strict.remedied({"min_genes": 15, "max_mito": 0.5}) == strict


def test_equal_gene_counts_are_no_outliers():
    """log1p and back must not lift the bound above the cells' own number."""
    for genes in (10, 37, 500):
        judged = quality(sp.csr_matrix(np.ones((20, genes), np.float32)), np.array(["A"] * genes))
        assert judged.fewest_genes <= genes


def test_base_2_logs_give_the_true_shares(write):
    adata = toy()
    counts = adata.X.toarray()
    mito = np.char.startswith(adata.var_names.to_numpy(str), "MT-")
    share = counts[:, mito].sum(axis=1) / counts.sum(axis=1)
    adata.X = np.log2(counts / counts.sum(axis=1, keepdims=True) * 1e4 + 1)
    dataset = load(write(adata))
    assert dataset.values == "log"
    np.testing.assert_allclose(dataset.quality.mitochondrial, share, atol=1e-3)
