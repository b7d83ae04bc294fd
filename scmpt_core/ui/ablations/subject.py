"""What is perturbed: the cells, the model, the known types and their markers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import streamlit as st

from scmpt_core.ablations import AblationInfo, Known, marker_sets
from scmpt_core.ablations.base import Need
from scmpt_core.ablations.possible import obstacle
from scmpt_core.cells import Cells
from scmpt_core.data import Dataset
from scmpt_core.encoders import get_spec
from scmpt_core.encoders.base import Modality
from scmpt_core.fusion import read_config
from scmpt_core.library import Item
from scmpt_core.sentences import get_format
from scmpt_core.ui.ablations.words import lacking
from scmpt_core.ui.attribution.databases import choose_database
from scmpt_core.ui.attribution.keep import matches_of
from scmpt_core.ui.attribution.matching import matching
from scmpt_core.ui.classify.models import Offer
from scmpt_core.ui.classify.start import preview_of
from scmpt_core.ui.labels import choose_label
from scmpt_core.ui.state import model_in

Markers = tuple[frozenset[str], ...]


@dataclass(frozen=True, eq=False)
class Subject:
    """Cells, a model, and what is known.

    Parameters
    ----------
    label
        Column of the types; ``None``: what the model says is looked at.
    markers
        Of each of the model's classes; ``None``: not asked for.
    database
        Where they come from.
    """

    item: Item
    dataset: Dataset
    offer: Offer
    config: dict
    label: str | None
    markers: Markers | None = None
    database: str | None = None

    @property
    def cells(self) -> Cells:
        """All of the file's."""
        return self.dataset.usable()

    @property
    def encoders(self) -> dict[str, Modality]:
        """Encoders of the model and what each reads."""
        names = [identity["encoder"] for identity in self.config["encoders"]]
        return {name: get_spec(name).info.modality for name in names}

    @property
    def weighted(self) -> bool:
        """Whether its sentences order genes by more than their expression."""
        sentences = [identity.get("sentence") for identity in self.config["encoders"]]
        return any(get_format(s["format"]).fitted for s in sentences if isinstance(s, dict))

    def lacking(self, info: AblationInfo, genes: frozenset[str]) -> str | None:
        """Why an ablation cannot be made here, with a set of one's own; ``None``: it can."""
        have: dict[Need, bool] = {
            "counts": self.cells.counts is not None,
            "markers": any(self.markers or ()),
            "gene set": bool(genes),
        }
        return lacking(obstacle(info, list(self.encoders.values()), have, self.weighted))

    @property
    def known(self) -> Known:
        """For the core."""
        return Known.of(self.dataset, self.label, self.config.get("group"), self.markers)

    @cached_property
    def seen(self) -> int:
        """Cells that bear the names of cells the model was trained on."""
        folder = str(self.offer.folder)
        return preview_of(
            self.offer.id, folder, self.item.id, self.cells.fingerprint, self.cells
        ).seen

    @property
    def why_no_refit(self) -> str | None:
        """Why its head cannot be fitted anew on this file; ``None``: it can."""
        if self.label is None:
            return "a head is fitted to known types: choose their column above"
        train = self.config["split"]["train"]
        if self.seen != train:
            return (
                f"this file holds {self.seen:,} of the {train:,} cells that the model was trained "
                "on, and all of them are needed"
            )
        return None

    @cached_property
    def model_genes(self) -> frozenset[str]:
        """Genes that the model knows."""
        return frozenset(model_in(str(self.offer.folder)).genes)

    @property
    def key(self) -> tuple:
        """All that an answer depends on besides the request."""
        view = str(sorted(self.item.meta["view"].items()))
        return self.item.id, view, self.offer.id, self.label, self.markers

    @property
    def settings(self) -> dict:
        """Of a job."""
        markers = None
        if self.markers is not None:
            markers = {
                name: sorted(genes)
                for name, genes in zip(self.config["classes"], self.markers, strict=True)
            }
        return {
            "dataset": self.item.id, "view": self.item.meta["view"], **self.offer.settings,
            "label": self.label, "markers": markers, "database": self.database,
        }  # fmt: skip


def choose_subject(item: Item, dataset: Dataset, offer: Offer) -> Subject:
    """The column of types, and, when asked for, their markers."""
    config = read_config(offer.folder)
    label = choose_label(
        dataset, config, "Known types", "ablation_label",
        "The column of known types, so that accuracy and F1 can be told; without one, only how "
        "many labels flip and how far probabilities fall.",
    )  # fmt: skip
    wanted = st.toggle(
        "Use known markers of the types", key="ablation_markers", persist_state="session",
        help="For the ablations that take a type's markers away, or leave nothing but them.",
    )  # fmt: skip
    database = choose_database() if wanted else None
    if database is None:
        return Subject(item, dataset, offer, config, label)
    matches = matches_of(item, config["classes"], database)
    matching(item, database, matches)
    markers = marker_sets(config["classes"], matches, database, dataset.usable().genes)
    return Subject(item, dataset, offer, config, label, markers, database.title)
