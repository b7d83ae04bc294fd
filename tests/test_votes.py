"""Clusters recover planted groups and agree with scanpy; votes against hand-counted ones."""

from __future__ import annotations

import os
import random

import anndata as ad
import igraph
import numpy as np
import pytest
import scanpy as sc
from sklearn.metrics import adjusted_rand_score

from scmpt_core import votes
from scmpt_core.errors import SettingError
from scmpt_core.votes import MIXED, ClusterVote, cluster_labels, leiden, neighbour_graph, vote

SIZES = (150, 100, 70, 40)


def blobs(spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """360 cells × 20 of four groups far apart in shuffled order, and their groups."""
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(4), SIZES))
    centres = rng.normal(size=(4, 20)) * 8
    return (centres[groups] + rng.normal(size=(360, 20)) * spread).astype(np.float32), groups


def test_planted_groups_are_found_largest_first():
    vectors, groups = blobs()
    codes = leiden(vectors)
    assert adjusted_rand_score(groups, codes) == 1
    assert np.bincount(codes).tolist() == list(SIZES)


@pytest.mark.skipif(
    not os.environ.get("SCMPT_SLOW"),
    reason="pynndescent compiles for a minute in each process; SCMPT_SLOW=1 runs it",
)
def test_approximate_neighbours_find_them_too(monkeypatch):
    monkeypatch.setattr(votes, "EXACT_BELOW", 100)
    vectors, groups = blobs()
    codes = leiden(vectors)
    assert adjusted_rand_score(groups, codes) == 1
    assert (leiden(vectors) == codes).all()


def test_as_scanpy_does():
    vectors = np.random.default_rng(1).normal(size=(500, 8)).astype(np.float32)  # no groups
    adata = ad.AnnData(vectors)
    sc.pp.neighbors(adata, n_neighbors=15, use_rep="X", random_state=0)
    theirs = adata.obsp["connectivities"]
    assert abs(neighbour_graph(vectors, 15, 0) - theirs).max() < 1e-4
    sc.tl.leiden(adata, flavor="igraph", directed=False, n_iterations=-1, random_state=0)
    graph = igraph.Graph.Weighted_Adjacency(theirs, mode="upper")

    def modularity(codes) -> float:
        return graph.modularity(np.asarray(codes, int), weights="weight")

    # where nothing is grouped the partition depends on chance, its quality does not
    assert modularity(leiden(vectors)) == pytest.approx(modularity(adata.obs["leiden"]), rel=0.02)


def test_seed_decides_and_leaves_the_world_as_it_was():
    vectors = np.random.default_rng(1).normal(size=(500, 8)).astype(np.float32)
    leiden(vectors[:50])  # imports may draw
    before = random.getstate(), np.random.get_state()[1].tolist()
    one = leiden(vectors, seed=3)
    assert (leiden(vectors, seed=3) == one).all()
    assert len({leiden(vectors, seed=s).tobytes() for s in range(4)}) > 1
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    igraph.Graph.Erdos_Renyi(20, 0.5)
    assert random.getstate() != before[0], "igraph draws from Python's generator again"


def test_resolution_divides():
    vectors, _ = blobs()
    assert leiden(vectors, resolution=5).max() > leiden(vectors, resolution=0.1).max()


@pytest.mark.parametrize("n", range(21))
def test_few_cells(n):
    codes = leiden(blobs()[0][:n])
    assert codes.shape == (n,)
    sizes = np.bincount(codes)
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert n == 0 or sizes.min() > 0
    assert n >= 4 or len(sizes) <= 1


def test_identical_cells_stay_together():
    vectors = np.repeat(np.eye(3, dtype=np.float32) * 10, 30, axis=0)
    assert adjusted_rand_score(np.repeat(np.arange(3), 30), leiden(vectors)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [({"resolution": 0}, "0"), ({"resolution": float("nan")}, "nan"), ({"neighbours": 1}, "1 n")],
)
def test_settings_out_of_range(options, said):
    with pytest.raises(SettingError, match=said):
        leiden(blobs()[0], **options)


def test_vectors_must_be_numbers():
    with pytest.raises(ValueError, match="finite"):
        leiden(np.full((5, 2), np.nan))


def test_votes_counted_by_hand():
    labels = np.array(["B", "B", "T", "T", "NK", "T", "Unknown", "Unknown", ""])
    clusters = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    found = vote(labels, clusters)
    assert found == [
        ClusterVote(0, 3, "B", 2 / 3, {"B": 2, "T": 1}),
        ClusterVote(1, 3, "T", 2 / 3, {"T": 2, "NK": 1}),
        ClusterVote(2, 3, "Unknown", 1.0, {"Unknown": 3}),
    ]
    assert cluster_labels(found, clusters).tolist() == ["B"] * 3 + ["T"] * 3 + ["Unknown"] * 3
    assert [ClusterVote(**v.to_json()) for v in found] == found


def test_exactly_half_is_no_majority():
    (found,) = vote(np.array(["B", "B", "NK", "T"]), np.zeros(4, int))
    assert (found.label, found.share) == (MIXED, 0.5)
    assert list(found.counts) == ["B", "NK", "T"]


def test_unknown_votes_count_against_a_label():
    (found,) = vote(np.array(["B", "B", "-", "-", ""]), np.zeros(5, int), unknown="-")
    assert (found.label, found.counts) == ("-", {"-": 3, "B": 2})


@pytest.mark.parametrize(
    ("majority", "label"), [(0.0, "B"), (0.39, "B"), (0.4, MIXED), (0.9, MIXED)]
)
def test_majority_moves(majority, label):
    labels = np.array(["B", "B", "T", "NK", "DC"])
    assert vote(labels, np.zeros(5, int), majority=majority)[0].label == label


def test_a_tie_is_mixed_whatever_the_majority():
    assert vote(np.array(["B", "T"]), np.zeros(2, int), majority=0.1)[0].label == MIXED


@pytest.mark.parametrize("majority", [-0.1, 1.0, float("nan")])
def test_no_such_majority(majority):
    with pytest.raises(SettingError, match=str(majority)):
        vote(np.array(["B"]), np.zeros(1, int), majority=majority)


def test_clusters_of_a_column_and_cells_without():
    labels = np.array(["B", "T", "T", "T"], dtype=object)
    column = np.array(["b", "", "a", "a"], dtype=object)
    found = vote(labels, column)
    assert [(v.cluster, v.n, v.label) for v in found] == [("a", 2, "T"), ("b", 1, "B")]
    assert cluster_labels(found, column).tolist() == ["B", "", "T", "T"]
    coded = np.array([1, -1, 0, 0])
    assert [v.cluster for v in vote(labels, coded)] == [0, 1]
    assert cluster_labels(vote(labels, coded), coded).tolist() == ["B", "", "T", "T"]


def test_votes_of_other_clusters():
    found = vote(np.array(["B"]), np.array([0]))
    with pytest.raises(ValueError, match=r"\[1\]"):
        cluster_labels(found, np.array([0, 1]))
    with pytest.raises(ValueError, match="1 labels of 2"):
        vote(np.array(["B"]), np.array([0, 1]))


def test_no_cells():
    assert vote(np.array([], str), np.array([], int)) == []
    assert cluster_labels([], np.array([], int)).tolist() == []
