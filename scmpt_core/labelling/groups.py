"""What is to be said of each cluster, and of each label, in one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scmpt_core.fusion import UNKNOWN
from scmpt_core.labelling.labels import BY_HAND, Labelling
from scmpt_core.ontology import name_of

Markers = Mapping[str, Sequence[dict]]  # group → genes that mark it, as JSON of a GeneRow


@dataclass(frozen=True)
class ClusterRow:
    """A cluster, and what its cells are.

    Parameters
    ----------
    vote
        The label of most cells, or "mixed".
    share
        Of the cells, with the most frequent label, 0…1.
    second, second_share
        The next label, ``""`` where all agree.
    named
        What a person named it, ``""`` where nobody did.
    """

    cluster: str
    cells: int
    vote: str
    share: float
    second: str
    second_share: float
    named: str
    genes: Sequence[dict]


def cluster_rows(labelling: Labelling, markers: Markers) -> list[ClusterRow]:
    """One row a cluster, the largest first."""
    rows = []
    for vote in sorted(labelling.votes, key=lambda vote: -vote.n):
        name = str(vote.cluster)
        second, cells = next(iter(list(vote.counts.items())[1:]), ("", 0))
        rows.append(
            ClusterRow(
                name,
                vote.n,
                vote.label,
                vote.share,
                second,
                cells / vote.n,
                labelling.edits.get(name, ""),
                markers.get(name, ()),
            )
        )
    return rows


@dataclass(frozen=True)
class LabelRow:
    """A label, and what speaks for it.

    Parameters
    ----------
    probability
        Mean calibrated probability of the most probable type over its cells; NaN for cells that
        are not read alone.
    id, term
        Of the Cell Ontology, ``""`` where there is none.
    by_hand
        Cells whose cluster a person gave the name.
    genes
        That mark the cells with this most probable type, or, for a name that the model does not
        know, the largest cluster that bears it.
    """

    label: str
    cells: int
    probability: float
    id: str
    term: str
    by_hand: int
    genes: Sequence[dict]


def label_rows(labelling: Labelling, types: Markers, clusters: Markers) -> list[LabelRow]:
    """One row a label that any cell has, most frequent first; without Unknown.

    Parameters
    ----------
    types, clusters
        Markers of each most probable type, and of each cluster.
    """
    ids, probability = labelling.ids_of_labels, labelling.prediction.probability
    by_hand, rows = labelling.reasons == BY_HAND, []
    for label, cells in labelling.counts.items():
        if label == UNKNOWN:
            continue
        mine, id = labelling.labels == label, ids.get(label, "")
        known = probability[mine & np.isfinite(probability)]
        rows.append(
            LabelRow(
                label,
                cells,
                float(known.mean()) if len(known) else float("nan"),
                id,
                name_of(id) if id else "",
                int((mine & by_hand).sum()),
                types.get(label) or _of_cluster(labelling, label, clusters),
            )
        )
    return rows


def _of_cluster(labelling: Labelling, label: str, markers: Markers) -> Sequence[dict]:
    """Of the largest cluster with this name."""
    sizes = {str(v.cluster): v.n for v in labelling.votes}
    mine = [c for c, name in labelling.edits.items() if name == label]
    return markers.get(max(mine, key=sizes.__getitem__), ()) if mine else ()


def gene_text(genes: Sequence[dict], n: int = 4) -> str:
    """The first genes with the share of cells that express them: inside the group / outside."""
    return ", ".join(
        f"{g['symbol']} ({g['share_inside']:.0%} / {g['share_outside']:.0%})" for g in genes[:n]
    )
