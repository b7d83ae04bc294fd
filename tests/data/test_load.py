"""Files of each kind, the values and genes in them, and what is found."""

from __future__ import annotations

import gzip
import shutil
import tarfile

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from scmpt_core.data import View, load
from scmpt_core.data.genes import ensembl_to_symbol
from scmpt_core.errors import DataError, FileRefused


def codes(dataset, severity=None):
    return {f.code for f in dataset.findings if severity in (None, f.severity)}


def lognorm(counts):
    dense = counts.toarray()
    return np.log1p(dense / dense.sum(axis=1, keepdims=True) * 1e4)


def test_counts_are_normalised_to_ten_thousand(counts, write):
    dataset = load(write(counts))
    assert (dataset.matrix, dataset.values) == ("X", "counts")
    np.testing.assert_allclose(
        dataset.usable().expression.toarray(), lognorm(counts.X), rtol=1e-5, atol=1e-6
    )
    assert "10,000" in dataset.cells.normalisation


def test_log_values_are_used_as_they_are(counts, write):
    counts.X = sp.csr_matrix(lognorm(counts.X).astype(np.float32))
    dataset = load(write(counts))
    assert dataset.values == "log"
    np.testing.assert_array_equal(dataset.usable().expression.toarray(), counts.X.toarray())


def test_cpm_is_told_from_log(counts, write):
    dense = counts.X.toarray()
    counts.X = sp.csr_matrix((dense / dense.sum(axis=1, keepdims=True) * 1e6).astype(np.float32))
    assert load(write(counts)).values == "cpm"
    counts.X = counts.X / np.float32(1e6 / 15)  # small linear values, in the range of logs
    assert load(write(counts)).values == "cpm"


def test_scaled_values_point_to_raw(counts, write):
    counts.raw = counts.copy()
    counts.X = counts.X.toarray() - counts.X.toarray().mean(axis=0)
    dataset = load(write(counts))
    assert (dataset.matrix, dataset.values) == ("raw", "counts")
    forced = load(write(counts), View(matrix="X"))
    assert {f.code: f.count for f in forced.findings}["negative_values"] == (counts.X < 0).sum()
    with pytest.raises(DataError, match="--matrix raw"):
        forced.usable()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_inf_are_errors(counts, write, value):
    counts.X.data[3] = value
    dataset = load(write(counts))
    assert {f.code: f.count for f in dataset.findings}["not_finite"] == 1


def test_no_cells_empty_cells_duplicates(counts, write):
    assert "no_cells" in codes(load(write(counts[:0].copy())), "error")
    matrix = counts.X.tolil()
    matrix[:2] = 0
    counts.X = matrix.tocsr()
    counts.obs_names = ["same"] * 3 + list(counts.obs_names[3:])
    dataset = load(write(counts))
    found = {f.code: f.count for f in dataset.findings}
    assert (found["empty_cells"], found["duplicate_cells"]) == (2, 2)
    assert len(set(dataset.usable().ids)) == 120


def test_unknown_genes_are_an_error(counts, write):
    counts.var_names = [f"gene_{i}" for i in range(30)]
    assert "genes_unknown" in codes(load(write(counts)), "error")


def test_mouse_is_named(counts, write):
    counts.var_names = [g.capitalize() for g in counts.var_names]
    dataset = load(write(counts))
    hints = " ".join(f.hint for f in dataset.findings)
    assert "mouse" in hints + " ".join(f.message for f in dataset.findings)


def test_ensembl_ids_with_versions_become_symbols(counts, write):
    to_id = {symbol: key for key, symbol in ensembl_to_symbol().items()}
    expected = load(write(counts)).usable()
    counts.var_names = [f"{to_id[g]}.7" for g in counts.var_names]
    dataset = load(write(counts))
    assert dataset.usable().genes.tolist() == expected.genes.tolist()
    assert {f.code: f.count for f in dataset.findings}["ensembl_mapped"] == 30


def test_symbol_column_is_preferred(counts, write):
    counts.var["feature_name"] = counts.var_names.to_numpy()
    counts.var_names = [f"ENSG{i:011d}" for i in range(30)]
    assert load(write(counts)).usable().genes.tolist() == counts.var["feature_name"].tolist()


def test_duplicate_genes_are_summed_on_counts_and_averaged_on_logs(counts, write):
    names = counts.var_names.to_list()
    names[1] = names[0]
    counts.var_names = names
    dataset = load(write(counts))
    np.testing.assert_array_equal(
        dataset.usable().counts[:, 0].toarray().ravel(), counts.X[:, :2].toarray().sum(axis=1)
    )
    logs = lognorm(counts.X).astype(np.float32)
    counts.X = sp.csr_matrix(logs)
    averaged = load(write(counts)).usable().expression[:, 0].toarray().ravel()
    np.testing.assert_allclose(averaged, logs[:, :2].mean(axis=1), rtol=1e-6)
    assert "duplicate_genes" in codes(dataset)


def test_label_findings(counts, write):
    labels = counts.obs["cell_type"].astype(object).to_numpy()
    labels[:3], labels[3:6], labels[6:8] = None, "t", "rare"
    counts.obs["cell_type"] = pd.Categorical(labels)
    found = {f.code: f for f in load(write(counts)).findings}
    assert found["missing_labels"].count == 3
    assert "rare (2)" in found["small_classes"].message
    assert "'t'" in found["similar_labels"].message


def test_demo(home):
    dataset = load("demo")
    assert (dataset.matrix, dataset.values, len(dataset.usable())) == ("raw", "log", 700)
    assert "bulk_labels" in [c.column for c in dataset.labels]


def mtx(counts, folder, compress):
    folder.mkdir()
    scipy.io.mmwrite(folder / "matrix.mtx", counts.X.T.tocoo().astype(int))
    (folder / "barcodes.tsv").write_text("\n".join(counts.obs_names) + "\n")
    lines = [f"ENSG{i:011d}\t{g}\tGene Expression" for i, g in enumerate(counts.var_names)]
    (folder / "features.tsv").write_text("\n".join(lines) + "\n")
    if compress:
        for path in list(folder.iterdir()):
            with gzip.open(f"{path}.gz", "wb") as out:
                out.write(path.read_bytes())
            path.unlink()
    return folder


@pytest.mark.parametrize("compress", [False, True])
def test_10x_folder_and_archives(counts, tmp_path, compress):
    folder = mtx(counts, tmp_path / "filtered", compress)
    zipped = shutil.make_archive(str(tmp_path / "cells"), "zip", tmp_path, "filtered")
    with tarfile.open(tmp_path / "cells.tar.gz", "w:gz") as archive:
        archive.add(folder, "filtered")
    for path in (folder, zipped, tmp_path / "cells.tar.gz"):
        cells = load(path).usable()
        np.testing.assert_array_equal(cells.counts.toarray(), counts.X.toarray())
        assert cells.genes.tolist() == counts.var_names.tolist()
        assert cells.ids.tolist() == counts.obs_names.tolist()


def test_10x_parts_that_do_not_fit(counts, tmp_path):
    folder = mtx(counts, tmp_path / "bad", False)
    (folder / "barcodes.tsv").write_text("one\n")
    with pytest.raises(FileRefused, match="1 barcodes"):
        load(folder)


def test_10x_h5(counts, tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        group, csr = file.create_group("matrix"), counts.X
        group["data"], group["indices"], group["indptr"] = (
            csr.data.astype(int),
            csr.indices,
            csr.indptr,
        )
        group["shape"] = [counts.n_vars, counts.n_obs]
        group["barcodes"] = np.array(counts.obs_names, dtype="S")
        features = group.create_group("features")
        features["id"] = np.array([f"ENSG{i:011d}" for i in range(30)], dtype="S")
        features["name"] = np.array(counts.var_names, dtype="S")
        features["feature_type"] = np.array(["Gene Expression"] * 30, dtype="S")
        features["genome"] = np.array(["GRCh38"] * 30, dtype="S")
    cells = load(path).usable()
    np.testing.assert_array_equal(cells.counts.toarray(), counts.X.toarray())
    assert cells.genes.tolist() == counts.var_names.tolist()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz"])
@pytest.mark.parametrize("transposed", [False, True])
def test_tables_in_both_orientations(counts, tmp_path, suffix, transposed):
    frame = counts.to_df().T if transposed else counts.to_df()
    path = tmp_path / f"cells{suffix}"
    frame.to_csv(path, sep="\t" if "tsv" in suffix else ",")
    cells = load(path).usable()
    np.testing.assert_array_equal(cells.counts.toarray(), counts.X.toarray())
    assert cells.ids.tolist() == counts.obs_names.tolist()


def test_table_with_labels(counts, tmp_path):
    frame = counts.to_df().assign(cell_type=counts.obs["cell_type"])
    frame.to_csv(tmp_path / "cells.csv")
    assert load(tmp_path / "cells.csv").labels[0].classes == {"T": 40, "Mono": 40, "B": 40}


def test_table_that_is_none(tmp_path):
    (tmp_path / "a.csv").write_text("only one line")
    (tmp_path / "b.csv").write_text("x,a,b\n1,2,3\n2,3,4\n")
    for name in ("a.csv", "b.csv"):
        with pytest.raises(FileRefused):
            load(tmp_path / name)


def test_real_sets_are_read_as_their_readme_says(real):
    kinds = {"zheng2017_pbmc_facs": "counts", "xin2016_islets_674": "log",
             "symphony_pbmc_1200": "log", "sadefeldman2018_melanoma_cd8_550": "log",
             "baron2016_islets_175": "counts", "kang2018_pbmc_8donors": "counts"}  # fmt: skip
    for name, kind in kinds.items():
        assert load(real(name)).values == kind, name


def test_nothing_of_the_users_is_overwritten(counts, tmp_path):
    from scmpt_core.data import annotate, check_target, write_h5ad

    counts.obs["scmpt_label"] = "mine"
    out, written = annotate(counts, obs={"scmpt_label": np.array(["new"] * 120)})
    assert written == ["obs['scmpt_label_2']"]
    assert set(out.obs["scmpt_label"]) == {"mine"}
    path = tmp_path / "out.h5ad"
    counts.write_h5ad(path)
    with pytest.raises(FileRefused, match="not written by scMPT"):
        check_target(path)
    path.unlink()
    write_h5ad(out, path)
    check_target(path)
    assert ad.read_h5ad(path).obs["scmpt_label_2"].tolist() == ["new"] * 120
