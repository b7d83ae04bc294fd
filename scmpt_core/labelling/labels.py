"""The labels of a set of cells, and all that they follow from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from scmpt_core.fusion import NAMED, UNKNOWN, Decision, Prediction, Rule
from scmpt_core.votes import ClusterVote, cluster_labels, vote

BY_HAND = "named by hand"  # the reason of a cell whose cluster a person named
JOINT = " | "  # between the labels of a set
COLUMNS = {
    "scmpt_label": "the label; Unknown where none can be relied on",
    "scmpt_probability": "calibrated probability of the most probable type",
    "scmpt_reason": "why a cell is Unknown, or that a person named it",
    "scmpt_guess": "the most probable type, whatever its probability",
    "scmpt_set": "the types that hold the true one with the chosen probability",
    "scmpt_cluster": "the cluster",
    "scmpt_cluster_label": "the label of most cells of the cluster, or mixed",
    "scmpt_ontology_id": "Cell Ontology id of the label",
}


@dataclass(frozen=True, eq=False)
class Labelling:
    """Cells, what a model says of them, and what makes labels of it.

    Parameters
    ----------
    ids
        (cells,).
    clusters
        Codes, or names of a column of the user's, (cells,); below 0 or ``""``: in no cluster.
    clustered_by
        How the clusters came about, in words.
    ontology
        Label → Cell Ontology id, for those of the model's that have one.
    edits
        Cluster (as text) → the label that a person gave all its cells.
    terms
        Label → the id that a person confirmed; ``""`` takes one away.
    """

    ids: np.ndarray
    prediction: Prediction
    clusters: np.ndarray
    clustered_by: str
    ontology: dict[str, str] = field(default_factory=dict)
    rule: Rule = field(default_factory=Rule)
    edits: dict[str, str] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)

    @cached_property
    def decision(self) -> Decision:
        """What the rule makes of the probabilities, before any edit."""
        return self.prediction.decide(self.rule)

    @cached_property
    def _edited(self) -> np.ndarray:
        """The label given by hand, ``""`` where there is none, (cells,)."""
        names = self.clusters.astype(str)
        out = np.full(len(names), "", dtype=object)
        for cluster, label in self.edits.items():
            out[names == cluster] = label
        return out.astype(str)

    @cached_property
    def labels(self) -> np.ndarray:
        """Final labels, (cells,)."""
        return np.where(self._edited == "", self.decision.labels, self._edited)

    @cached_property
    def reasons(self) -> np.ndarray:
        """Why, (cells,); ``""`` for a label that the model gave."""
        return np.where(self._edited == "", self.decision.reasons, BY_HAND)

    @property
    def guesses(self) -> np.ndarray:
        """The most probable type whatever its probability, (cells,); Unknown where unread."""
        names = np.array(self.prediction.classes)[self.prediction.proba.argmax(axis=1)]
        return np.where(self.prediction.unread, UNKNOWN, names)

    @cached_property
    def votes(self) -> list[ClusterVote]:
        """What each cluster says of itself: the model's labels, without edits."""
        return vote(self.decision.labels, self.clusters)

    @property
    def cluster_labels(self) -> np.ndarray:
        """The vote of each cell's cluster, or what a person named it, (cells,)."""
        voted = cluster_labels(self.votes, self.clusters)
        return np.where(self._edited == "", voted, self._edited)

    @property
    def counts(self) -> dict[str, int]:
        """Cells of each final label, most frequent first; Unknown last."""
        names, sizes = np.unique(self.labels, return_counts=True)
        pairs = zip(names.tolist(), sizes.tolist(), strict=True)
        return dict(sorted(pairs, key=lambda pair: (pair[0] == UNKNOWN, -pair[1], pair[0])))

    @property
    def unknown_counts(self) -> dict[str, int]:
        """Reason → cells that are Unknown for it, most frequent first."""
        reasons = self.reasons[(self.labels == UNKNOWN) & (self.reasons != NAMED)]
        names, sizes = np.unique(reasons, return_counts=True)
        return dict(sorted(zip(names.tolist(), sizes.tolist(), strict=True), key=lambda p: -p[1]))

    @property
    def ids_of_labels(self) -> dict[str, str]:
        """Label → Cell Ontology id: the model's, and over them those that a person confirmed."""
        return {label: id for label, id in (self.ontology | self.terms).items() if id}

    @cached_property
    def sets(self) -> np.ndarray:
        """Conformal label sets at the rule's coverage, (cells, classes) bool."""
        return self.prediction.sets(self.rule.coverage)

    @property
    def set_names(self) -> np.ndarray:
        """The same as text, the most probable type first, (cells,)."""
        return set_texts(self.prediction.classes, self.prediction.proba, self.sets)

    def columns(self) -> dict[str, np.ndarray | pd.Categorical]:
        """What goes into ``obs``, by the names of ``COLUMNS``."""
        known = self.ids_of_labels
        ids = np.array([known.get(label, "") for label in self.labels], dtype=str)
        values = (
            self.labels, self.prediction.probability, self.reasons, self.guesses, self.set_names,
            self.clusters.astype(str), self.cluster_labels, ids,
        )  # fmt: skip
        return {
            name: value if value.dtype.kind == "f" else pd.Categorical(value)
            for name, value in zip(COLUMNS, values, strict=True)
        }

    def table(self) -> pd.DataFrame:
        """One row a cell: the columns, the p-value of being far, the probability of each class."""
        table = pd.DataFrame(self.columns(), index=pd.Index(self.ids, name="cell"))
        table["scmpt_far_p"] = self.prediction.far
        for i, name in enumerate(self.prediction.classes):
            table[f"p({name})"] = self.prediction.proba[:, i]
        return table


def set_texts(classes: tuple[str, ...], proba: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Label sets as text, the most probable type first, (cells,).

    Parameters
    ----------
    proba, sets
        (cells, classes): probabilities, and which types are in each cell's set, bool.
    """
    names, order = np.array(classes), np.argsort(-proba, axis=1, kind="stable")
    rows = zip(order, sets, strict=True)
    return np.array([JOINT.join(names[row[inside[row]]]) for row, inside in rows], dtype=str)
