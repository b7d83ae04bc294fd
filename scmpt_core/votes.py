"""Votes per cluster: cells that lie together should carry one label.

Clusters are found on the vectors alone, so they do not depend on the labels that vote.
"""

from __future__ import annotations

import random
import threading
from dataclasses import asdict, dataclass

import numpy as np
import scipy.sparse as sp

from scmpt_core.errors import SettingError

MIXED = "mixed"
# cells; from there on, neighbours are approximate. At 12,000 × 300 on one core exact ones take 4 s,
# approximate ones 14 s and as much as a minute for compiling, so these pay late.
EXACT_BELOW = 50_000
_IGRAPH = threading.Lock()  # its generator is one for the whole process


@dataclass(frozen=True)
class ClusterVote:
    """What the cells of one cluster say."""

    cluster: int | str
    n: int  # cells
    label: str  # of the majority, or "mixed"
    share: float  # of the cells, with the most frequent label; 0…1, higher is more agreement
    counts: dict[str, int]  # label → cells, most frequent first

    def __post_init__(self) -> None:
        if sum(self.counts.values()) != self.n:
            raise ValueError(f"{sum(self.counts.values())} votes of {self.n} cells")

    def to_json(self) -> dict:
        """As a JSON object; its fields make the vote again."""
        return asdict(self)


def leiden(
    vectors: np.ndarray, resolution: float = 1.0, neighbours: int = 15, seed: int = 0
) -> np.ndarray:
    """Cluster code of each cell, (cells,) int, the largest cluster 0.

    Leiden (Traag et al. 2019, doi:10.1038/s41598-019-41695-z) by modularity, until nothing
    improves, on UMAP's graph of nearest neighbours, as in scanpy. Fewer than four cells are one
    cluster.

    Parameters
    ----------
    vectors
        (cells, d); columns count as they are scaled.
    resolution
        Above 0; higher gives more clusters.
    neighbours
        Of each cell, itself among them; 2 at least, fewer where there are fewer cells.

    Raises
    ------
    SettingError
        Resolution or neighbours are outside their range.
    """
    if not 0 < resolution < np.inf:
        raise SettingError(f"Resolution {resolution} is not above 0.", "1 is usual.")
    if neighbours < 2:
        raise SettingError(f"{neighbours} neighbours are below 2.", "15 is usual.")
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError(f"vectors of shape {vectors.shape}, all finite: expected (cells, d)")
    if len(vectors) < 4:
        return np.zeros(len(vectors), dtype=int)
    graph = neighbour_graph(vectors, min(neighbours, len(vectors)), seed)
    return _by_size(_communities(graph, resolution, seed))


def neighbour_graph(vectors: np.ndarray, neighbours: int, seed: int) -> sp.csr_matrix:
    """UMAP's fuzzy graph (McInnes et al. 2018, arXiv 1802.03426), (cells, cells), symmetric."""
    from umap.umap_ import fuzzy_simplicial_set

    indices, distances = _nearest(np.asarray(vectors, np.float32), neighbours, seed)
    graph, _, _ = fuzzy_simplicial_set(
        vectors,  # not read where neighbours are given
        neighbours,
        random_state=np.random.RandomState(seed),
        metric="euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )
    return sp.csr_matrix(graph)


def _nearest(vectors: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and distances of the ``k`` nearest cells, (cells, k), each cell its own first."""
    if len(vectors) >= EXACT_BELOW:
        from pynndescent import NNDescent

        index = NNDescent(vectors, n_neighbors=k, random_state=seed)
        return index.neighbor_graph
    from sklearn.neighbors import NearestNeighbors

    # without a query, a cell is never its own neighbour, not even where others are identical
    search = NearestNeighbors(n_neighbors=k - 1, algorithm="brute").fit(vectors)
    distances, indices = search.kneighbors()
    own = np.arange(len(vectors))[:, None]
    return np.hstack([own, indices]), np.hstack([np.zeros(own.shape), distances])


def _communities(graph: sp.csr_matrix, resolution: float, seed: int) -> np.ndarray:
    import igraph

    upper = sp.triu(graph, k=1).tocoo()
    edges = np.column_stack([upper.row, upper.col])
    network = igraph.Graph(graph.shape[0], edges)
    with _IGRAPH:
        igraph.set_random_number_generator(random.Random(seed))
        try:
            found = network.community_leiden(
                objective_function="modularity",
                weights=upper.data,
                resolution=resolution,
                n_iterations=-1,
            )
        finally:
            igraph.set_random_number_generator(random)  # igraph's own default
    return np.asarray(found.membership)


def _by_size(codes: np.ndarray) -> np.ndarray:
    """The same clusters, coded by falling size; equal ones by their first cell."""
    _, first, inverse, sizes = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(sizes), dtype=int)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return rank[inverse]


def vote(
    labels: np.ndarray, clusters: np.ndarray, unknown: str = "Unknown", majority: float = 0.5
) -> list[ClusterVote]:
    """What each cluster says, in the order of their codes or names.

    Parameters
    ----------
    labels, clusters
        (cells,); clusters are codes, or any column. A cell without cluster (below 0, or ``""``)
        does not vote.
    unknown
        How a missing label (``""``) is counted; it is a vote like any other.
    majority
        A label wins with more than this share of the cells, 0 to below 1, and more than any
        other; else the cluster is "mixed".

    Raises
    ------
    SettingError
        The majority is outside its range.
    """
    if not 0 <= majority < 1:
        raise SettingError(f"A majority of {majority} is not within 0 to below 1.", "Take 0.5.")
    if len(labels) != len(clusters):
        raise ValueError(f"{len(labels)} labels of {len(clusters)} cells")
    labels = np.where(np.asarray(labels, str) == "", unknown, labels)
    clusters, clustered = _clusters(clusters)
    return [
        _count(cluster.item(), labels[clusters == cluster], majority)
        for cluster in np.unique(clusters[clustered])
    ]


def _count(cluster: int | str, labels: np.ndarray, majority: float) -> ClusterVote:
    names, sizes = np.unique(labels, return_counts=True)
    order = np.lexsort((names, -sizes))
    counts = {str(names[i]): int(sizes[i]) for i in order}
    n, top = len(labels), sizes.max()
    wins = top > majority * n and (sizes == top).sum() == 1
    label = str(names[order[0]]) if wins else MIXED
    return ClusterVote(cluster, n, label, float(top / n), counts)


def cluster_labels(votes: list[ClusterVote], clusters: np.ndarray) -> np.ndarray:
    """The label of each cell's cluster, (cells,) text; ``""`` for a cell without cluster."""
    clusters, clustered = _clusters(clusters)
    known = {v.cluster: v.label for v in votes}
    if missing := set(clusters[clustered].tolist()) - set(known):
        raise ValueError(f"clusters without a vote: {sorted(missing)}")
    return np.array([known.get(cluster, "") for cluster in clusters.tolist()], dtype=str)


def _clusters(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes or text, and which cells have a cluster, both (cells,)."""
    column = np.asarray(column)
    if column.dtype.kind in "iu":
        return column, column >= 0
    text = column.astype(str)
    return text, text != ""
