"""Markers among the genes of the data, what is said of them, curves and yardsticks."""

from __future__ import annotations

import json

import anndata as ad
import numpy as np
import pytest
import scanpy as sc
import scipy.sparse as sp
from scipy.stats import rankdata

from scmpt_core.data.genes import ensembl_to_symbol
from scmpt_core.markers import (
    MarkerSet,
    differential_expression,
    evidence_rows,
    expression_ranks,
    find_markers,
    for_against_missing,
    mean_expression,
    open_database,
    precision_at_k,
)
from scmpt_core.markers.base import Evidence
from scmpt_core.markers.evidence import gene_links
from scmpt_core.markers.renamed import symbol_before, symbol_today

ENTRY = MarkerSet(
    "T cells",
    {
        "CD3D": Evidence(True, 0.96, 0.05, organs=("Blood",)),
        "DEPP1": Evidence(also=("DEPP", "C10orf10")),  # the data has the old name
        "TENT5C": Evidence(also=("CD8A",)),  # a nickname that is a gene in use
        "AAA1": Evidence(also=("OLD1",)),  # a nickname of two genes
        "AAA2": Evidence(also=("OLD1",)),
        "CD4": Evidence(also=("OLD4",)),  # both are in the data: the symbol itself counts
    },
)
GENES = np.array(["CD3D", "C10orf10", "CD8A", "OLD1", "CD4", "OLD4", "ACTB"])


def test_old_symbols_count_only_where_they_leave_no_doubt():
    found = find_markers(ENTRY, GENES)
    assert found.listed_as == {"CD3D": "CD3D", "CD4": "CD4", "C10orf10": "DEPP1"}
    assert found.absent == ("TENT5C", "AAA1", "AAA2")
    assert found.mask(GENES).tolist() == [True, True, False, False, True, False, False]


def test_every_database_knows_renamed_genes():
    genes = {name: Evidence() for name in ("JCHAIN", "CAVIN2", "CCN2", "CD3D")}
    found = find_markers(MarkerSet("any", genes), np.array(["IGJ", "SDPR", "CTGF", "CCN2"]))
    assert found.listed_as == {"IGJ": "JCHAIN", "SDPR": "CAVIN2", "CCN2": "CCN2"}
    assert found.absent == ("CD3D",)


def test_the_table_of_renamed_genes():
    today, in_use = symbol_today(), set(ensembl_to_symbol().values())
    assert set(today.values()) <= in_use
    assert not today.keys() & in_use  # an old symbol that means another gene today would mislead
    assert {old: today[old] for old in symbol_before().values()} == today  # one old symbol each


def test_no_builtin_marker_of_zheng2017_is_lost_to_its_name(real):
    genes = ad.read_h5ad(real("zheng2017_pbmc_facs"), backed="r").var_names.to_numpy()
    entries = open_database("builtin").entries
    listed = {}
    for entry in entries.values():
        listed |= find_markers(entry, genes).listed_as
    renamed = {old: symbol for old, symbol in listed.items() if old != symbol}
    assert {"IGJ": "JCHAIN", "SDPR": "CAVIN2", "EMR1": "ADGRE1"}.items() <= renamed.items()


def test_rows_say_what_the_database_says():
    found = find_markers(ENTRY, GENES)
    first, second, third = evidence_rows(ENTRY, found, ["C10orf10", "CD3D", "ACTB"])
    assert (first.gene, first.listed_as, first.canonical) == ("C10orf10", "DEPP1", None)
    assert (second.canonical, second.sensitivity, second.specificity) == (True, 0.96, 0.05)
    assert (third.listed_as, third.canonical, third.organs) == (None, None, ())
    assert first.links["NCBI Gene"] == (
        "https://www.ncbi.nlm.nih.gov/gene/?term=DEPP1%5Bsym%5D+AND+human%5Borgn%5D"
    )
    assert json.loads(json.dumps(second.to_json()))["organs"] == ["Blood"]
    for address in gene_links('A"&b=<x> y/#').values():
        assert "A%22%26b%3D%3Cx%3E%20y%2F%23" in address


SCORES = np.array([5.0, 4, 3, -1, 0, -5, 2])
MARKERS = np.array([True, False, True, True, True, True, True])
SEEN = np.array([True, True, True, True, True, True, False])


def test_precision_by_hand():
    found = precision_at_k(SCORES, MARKERS, SEEN, [1, 2, 3, 4])
    assert found[:3] == pytest.approx([1, 1 / 2, 2 / 3])
    assert np.isnan(found[3])  # the fourth positive score is of a gene that was not seen
    assert precision_at_k(SCORES, MARKERS, SEEN, []).shape == (0,)
    with pytest.raises(ValueError, match="k is 0"):
        precision_at_k(SCORES, MARKERS, SEEN, [0])


def test_for_against_and_missing_by_hand():
    names = np.array(list("abcdefg"))
    found = for_against_missing(names, SCORES, MARKERS, SEEN, 1)
    assert found.to_json() == {
        "supporting": ["a"], "against": ["f"], "missing": ["c", "e", "d"], "unseen": ["g"]
    }  # fmt: skip
    assert for_against_missing(names, SCORES, MARKERS, SEEN, 3).against == ("f", "d")


@pytest.fixture
def cells(counts):
    sc.pp.normalize_total(counts, target_sum=1e4)
    sc.pp.log1p(counts)
    classes, codes = np.unique(counts.obs["cell_type"], return_inverse=True)
    return counts, sp.csr_matrix(counts.X), codes, classes


def test_differential_expression_is_scanpys(cells):
    adata, matrix, codes, classes = cells
    ours = differential_expression(matrix, codes, len(classes))
    sc.tl.rank_genes_groups(adata, "cell_type", method="wilcoxon", tie_correct=True)
    for row, name in zip(ours, classes, strict=True):
        theirs = sc.get.rank_genes_groups_df(adata, name).set_index("names").scores
        assert row == pytest.approx(theirs[adata.var_names].to_numpy(), abs=1e-4)


def test_mean_expression_and_ranks(cells):
    _, matrix, codes, classes = cells
    dense = matrix.toarray()
    means = np.stack([dense[codes == i].mean(axis=0) for i in range(len(classes))])
    assert mean_expression(matrix, codes, len(classes)) == pytest.approx(means, rel=1e-5)
    assert (dense == 0).any()
    literal = np.stack([rankdata(-row) for row in dense]).mean(axis=0)
    assert expression_ranks(matrix) == pytest.approx(literal)
    with pytest.raises(ValueError, match="no cells"):
        expression_ranks(matrix[:0])
    with pytest.raises(ValueError, match="classes with no cell"):
        mean_expression(matrix, codes, len(classes) + 1)
    with pytest.raises(ValueError, match="codes for 120 cells"):
        differential_expression(matrix, codes[:-1], len(classes))
