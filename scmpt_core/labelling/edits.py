"""What a person decides about labels that are there: names of clusters, terms of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scmpt_core.errors import DataError, SettingError
from scmpt_core.labelling.labels import Labelling
from scmpt_core.ontology import name_of

LONGEST = 120  # characters of a name


def name_clusters(labelling: Labelling, clusters: Sequence[str], label: str) -> dict[str, str]:
    """The edits with ``label`` for all cells of ``clusters``.

    ``label`` is any name: a class of the model, ``Unknown``, or one that the model does not know.

    Raises
    ------
    SettingError
        No cluster was chosen, one is not there, or the name is empty or too long.
    """
    label = " ".join(label.split())
    if not clusters:
        raise SettingError("No cluster is chosen.", "Choose one or more.")
    if not label or len(label) > LONGEST or not label.isprintable():
        raise SettingError(
            f"The name is {label[:LONGEST]!r}.", f"Give 1 to {LONGEST} printable characters."
        )
    if missing := sorted(set(clusters) - set(cluster_sizes(labelling))):
        raise SettingError(
            f"There is no cluster {', '.join(missing)}.", "Choose from those that are listed."
        )
    return labelling.edits | dict.fromkeys(clusters, label)


def unname_clusters(labelling: Labelling, clusters: Sequence[str]) -> dict[str, str]:
    """The edits without those of ``clusters``: their cells get the model's labels again."""
    return {c: label for c, label in labelling.edits.items() if c not in clusters}


def confirm_term(labelling: Labelling, label: str, term: str) -> dict[str, str]:
    """The terms with ``term`` for ``label``; ``""``: it has none.

    Raises
    ------
    DataError
        The Cell Ontology has no such term.
    """
    if term:
        name_of(term)  # refuses what is not one
    return labelling.terms | {label: term}


def cluster_sizes(labelling: Labelling) -> dict[str, int]:
    """Cluster, as text → its cells; without those that are in no cluster."""
    return {str(v.cluster): v.n for v in labelling.votes}


def same_clusters(labelling: Labelling, sizes: Mapping[str, int]) -> None:
    """Refuse where names given by hand would go to other clusters than those they were given to.

    Clusters that are found bear numbers only, by falling size: on another machine, whose encoders
    round differently, the same number can mean other cells.

    Raises
    ------
    DataError
        Names were given, and the clusters' sizes differ from ``sizes``, those of the first run.
    """
    here = cluster_sizes(labelling)
    if not labelling.edits or here == dict(sizes):
        return
    other = next(c for c in [*sizes, *here] if sizes.get(c) != here.get(c))
    raise DataError(
        f"The clusters are not those that were named by hand: {other} has {here.get(other, 0):,} "
        f"cells, had {sizes.get(other, 0):,}.",
        "Take the names out of the settings (edits) and name the clusters of this run.",
    )
