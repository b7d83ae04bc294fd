"""A file read in pieces gives what it gives when read at once."""

from __future__ import annotations

import anndata as ad
import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from scmpt_core.data import View, backed, load, open_backed
from scmpt_core.errors import DataError, FileRefused
from tests.conftest import toy


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(backed, "ROWS", 50)


def as_dense(adata):
    adata.X = adata.X.toarray()


def with_duplicates(adata):
    adata.var_names = [*adata.var_names[:-1], adata.var_names[0]]


def with_raw(adata):
    adata.raw = adata.copy()
    adata.X = sp.csr_matrix(np.log1p(adata.X.toarray()))


def with_layer(adata):
    adata.layers["counts"] = adata.X.copy()
    adata.X = sp.csr_matrix(np.log1p(adata.X.toarray() * 1.37))


def with_stored_zeros(adata):
    adata.X.data[::7] = 0


def with_repeated_names(adata):
    adata.obs_names = ["same"] * adata.n_obs


@pytest.mark.parametrize(
    "change",
    [None, as_dense, with_duplicates, with_raw, with_layer, with_stored_zeros, with_repeated_names],
    ids=lambda f: f.__name__ if f else "counts",
)
def test_pieces_are_the_whole(write, change):
    adata = toy()
    if change:
        change(adata)
    path = write(adata)
    whole = load(path)
    with open_backed(path) as dataset:
        assert (dataset.matrix, dataset.values) == (whole.matrix, whole.values)
        pieces = list(dataset.pieces())
    assert [(w.start, w.stop) for w, _ in pieces] == [(0, 50), (50, 100), (100, 120)]
    together = sp.vstack([cells.expression for _, cells in pieces]).toarray()
    np.testing.assert_array_equal(together, whole.usable().expression.toarray())
    assert [i for _, c in pieces for i in c.ids] == whole.usable().ids.tolist()
    assert pieces[0][1].genes.tolist() == whole.usable().genes.tolist()
    assert pieces[0][1].normalisation == whole.usable().normalisation


def test_values_are_judged_over_the_whole_file(write):
    """A single negative value in the last piece makes the matrix unusable, as when read whole."""
    adata = toy()
    adata.X.data[-1] = -1
    path = write(adata)
    with pytest.raises(DataError, match="1 values are negative"):
        open_backed(path)


def test_many_cells_are_judged_on_the_same_sample(write, monkeypatch):
    """More cells than the judgement looks at, in pieces that hold some of them each."""
    from scmpt_core.data import normalise

    monkeypatch.setattr(normalise, "SAMPLE", 30)
    adata = toy()
    chosen = normalise.sample_rows(120)
    others = np.setdiff1d(np.arange(120), chosen)
    adata.X[others[:5]] = adata.X[others[:5]] * 0.5  # not integers, and nobody looks at them
    path = write(adata)
    assert load(path).values == "counts"
    with open_backed(path) as dataset:
        assert dataset.values == "counts"
    adata.X[chosen[-1]] = adata.X[chosen[-1]] * 0.5
    path = write(adata, "other.h5ad")
    whole = load(path).values
    assert whole != "counts"
    with open_backed(path) as dataset:
        assert dataset.values == whole


def test_refusals(write, tmp_path):
    with pytest.raises(FileRefused, match=r"no \.h5ad"):
        open_backed(tmp_path / "cells.csv")
    good = write(toy(), "good.h5ad")
    with pytest.raises(DataError, match="left out"):
        open_backed(good, View(min_genes=3))
    with pytest.raises(DataError, match="no matrix 'nope'"):
        open_backed(good, View(matrix="nope"))
    with pytest.raises(DataError, match="no cells"):
        open_backed(write(toy()[:0].copy(), "none.h5ad"))


def test_a_matrix_by_columns_is_refused_and_not_passed_over(write):
    """``load`` would choose the counts in X; so must not end in the logs beside them."""
    adata = toy()
    adata.layers["log"] = sp.csr_matrix(np.log1p(adata.X.toarray() * 1.37))
    adata.X = sp.csc_matrix(adata.X)
    path = write(adata)
    with pytest.raises(FileRefused, match=r"X of cells\.h5ad is not stored by rows"):
        open_backed(path)
    with open_backed(path, View(matrix="log")) as dataset:
        assert dataset.matrix == "log"


@pytest.mark.parametrize("damage", ["indptr", "shape", "text"])
def test_damage_is_refused_as_when_read_whole(write, damage):
    path = write(toy())
    with h5py.File(path, "a") as file:
        if damage == "indptr":
            del file["X/indptr"]
        elif damage == "shape":
            del file["X"].attrs["shape"]
        else:
            del file["X"]
            file["X"] = np.full((120, 30), b"x")
    with pytest.raises((FileRefused, DataError)):
        load(path)
    with pytest.raises((FileRefused, DataError)):
        open_backed(path)


def test_a_failed_copy_leaves_nothing(write, tmp_path, monkeypatch):
    from scmpt_core.data import backed_writer

    def full(*_):
        raise OSError("no space left")

    path, target = write(toy()), tmp_path / "target"
    target.mkdir()
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="no space"), backed_writer(path, target / "o.h5ad", 120, {}):
        pass
    assert list(target.iterdir()) == []


def test_a_column_index_outside_is_refused(write):
    path = write(toy())
    with h5py.File(path, "a") as file:
        file["X/indices"][-1] = 10_000
    with pytest.raises(FileRefused, match="damaged matrix"):
        open_backed(path)


def test_embeddings_are_those_of_the_whole_file(write, tmp_path):
    """From the command line; the user's own entries stay, and nothing is written on a failure."""
    from scmpt_core.cli import app

    adata = toy()
    adata.obsm["X_scmpt_scgpt-mini"] = np.ones((120, 2))
    path, outs = write(adata), [tmp_path / f"{n}.h5ad" for n in ("whole", "pieces")]
    for out, more in zip(outs, ([], ["--backed"]), strict=True):
        app(["embed", str(path), "-o", str(out), "--encoder", "scgpt-mini", *more, "--json"],
            standalone_mode=False)  # fmt: skip
    whole, pieces = map(ad.read_h5ad, outs)
    name = "X_scmpt_scgpt-mini_2"
    np.testing.assert_allclose(pieces.obsm[name], whole.obsm[name], atol=1e-5)
    np.testing.assert_array_equal(pieces.obsm["X_scmpt_scgpt-mini"], 1)
    assert pieces.obs.equals(whole.obs)
    assert pieces.uns["scmpt"]["verb"] == "embed"
    assert pieces.uns["scmpt"]["encoders"].keys() == {"scgpt-mini"}
    with pytest.raises(DataError):
        app(["embed", str(path), "-o", str(tmp_path / "no.h5ad"), "--matrix", "nope", "--backed"],
            standalone_mode=False)  # fmt: skip
    assert sorted(p.name for p in tmp_path.glob("*.h5ad")) == [
        "cells.h5ad", "pieces.h5ad", "whole.h5ad",
    ]  # fmt: skip
