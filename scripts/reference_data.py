"""The labelled studies that the reference models are made from, under one set of labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.data import MIN_CLASS, label_values, load

MIN_DONORS = 4  # with fewer, cross-validation goes by cells


@dataclass(frozen=True)
class Source:
    """A file, and what its labels are called here.

    Parameters
    ----------
    file
        Stem of an .h5ad in the folder of labelled sets, or ``demo``.
    labels
        The study's label → ours; what is not listed is left out.
    donor
        Column of donors, ``""`` where there is none or only one.
    worth
        What its labels are worth, in a sentence.
    """

    name: str
    file: str
    column: str
    donor: str
    labels: dict[str, str]
    citation: str
    worth: str


@dataclass(frozen=True)
class Tissue:
    """One reference model.

    Parameters
    ----------
    classes
        Label → id in the Cell Ontology.
    tests
        Studies trained on, and the one tested on; a name of ``extra`` may be tested on too.
    extra
        Studies that are only ever tested on.
    """

    name: str
    title: str
    classes: dict[str, str]
    sources: tuple[Source, ...]
    tests: tuple[tuple[tuple[str, ...], str], ...]
    extra: tuple[Source, ...] = ()


@dataclass(frozen=True, eq=False)
class Study:
    """Cells of one study.

    Parameters
    ----------
    labels
        Ours, (cells,); no cell without one.
    groups
        Donor where there are four or more, else the cell itself, (cells,): cells that are kept
        together in cross-validation.
    """

    name: str
    cells: Cells
    labels: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Study:
        """The cells at ``rows``."""
        return Study(self.name, self.cells.take(rows), self.labels[rows], self.groups[rows])


T, B, NK = "T cell", "B cell", "NK cell"
CD14, CD16, DC = "CD14+ monocyte", "CD16+ monocyte", "dendritic cell"
MK, CD34 = "megakaryocyte", "CD34+ cell"
SORTED = {
    "CD19+ B": B, "CD34+": CD34, "CD56+ NK": NK, "CD14+ Monocyte": CD14,
    "CD8+ Cytotoxic T": T, "CD8+/CD45RA+ Naive Cytotoxic": T, "CD4+ T Helper2": T,
    "CD4+/CD45RO+ Memory": T, "CD4+/CD25 T Reg": T, "CD4+/CD45RA+/CD25- Naive T": T,
}  # fmt: skip

PBMC = Tissue(
    name="pbmc",
    title="Human blood (PBMC)",
    classes={
        T: "CL:0000084", B: "CL:0000236", NK: "CL:0000623", CD14: "CL:0001054",
        CD16: "CL:0002396", DC: "CL:0000451", MK: "CL:0000556", CD34: "CL:0008001",
    },
    sources=(
        Source(
            "zheng2017", "zheng2017_pbmc_facs", "cell_type", "", SORTED,
            "Zheng et al. 2017, doi:10.1038/ncomms14049 (10x, FACS-sorted)",
            "one donor; each type was sorted and sequenced apart, so label equals library",
        ),
        Source(
            "kang2018", "kang2018_pbmc_8donors", "cell_type", "donor",
            {"CD4 T cells": T, "CD8 T cells": T, "B cells": B, "NK cells": NK,
             "CD14+ Monocytes": CD14, "FCGR3A+ Monocytes": CD16, "Dendritic cells": DC,
             "Megakaryocytes": MK},
            "Kang et al. 2018, doi:10.1038/nbt.4042, GSE96583 (control cells)",
            "eight donors; labels follow the authors' clusters",
        ),
        Source(
            "symphony", "symphony_pbmc_1200", "cell_type", "",
            {"T_CD4": T, "T_CD8": T, "B": B, "NK": NK, "Mono_CD14": CD14, "Mono_CD16": CD16,
             "DC": DC, "MK": MK, "HSC": CD34},
            "Kang et al. 2021, doi:10.1038/s41467-021-25957-x (10x, three chemistries)",
            "labels follow the authors' clusters; 7 megakaryocytes and 3 CD34+ cells",
        ),
    ),
    tests=(
        (("zheng2017",), "kang2018"),
        (("symphony",), "kang2018"),
        (("zheng2017", "symphony"), "kang2018"),
        (("zheng2017", "kang2018"), "symphony"),
    ),
    extra=(
        Source(
            "demo", "demo", "bulk_labels", "", SORTED | {"Dendritic": DC},
            "scanpy's pbmc68k_reduced; Zheng et al. 2017, doi:10.1038/ncomms14049",
            "labels were assigned by correlation to the sorted sets; 96 % of its CD14+ monocytes "
            "express FCGR3A (CD16), and the model calls them CD16+ monocytes",
        ),
    ),
)  # fmt: skip

ALPHA, BETA, DELTA, GAMMA = "alpha cell", "beta cell", "delta cell", "gamma cell"
STELLATE, MACROPHAGE = "activated stellate cell", "macrophage"
ISLETS = Tissue(
    name="islets",
    title="Human pancreatic islets",
    classes={
        ALPHA: "CL:0000171", BETA: "CL:0000169", DELTA: "CL:0000173", GAMMA: "CL:0002275",
        STELLATE: "CL:0002410", MACROPHAGE: "CL:0000235",
    },
    sources=(
        Source(
            "baron2016", "baron2016_islets_175", "cell_type", "donor",
            {"alpha": ALPHA, "beta": BETA, "delta": DELTA, "activated_stellate": STELLATE,
             "macrophage": MACROPHAGE},
            "Baron et al. 2016, doi:10.1016/j.cels.2016.08.011, GSE84133",
            "35 cells a type, four donors; only genes that mouse has too, so no INS",
        ),
        Source(
            "xin2016", "xin2016_islets_674", "cell_type", "",
            {"alpha": ALPHA, "beta": BETA, "delta": DELTA, "gamma": GAMMA},
            "Xin et al. 2016, doi:10.1016/j.cmet.2016.08.018, GSE81608",
            "980 genes; donors not given",
        ),
    ),
    tests=((("baron2016",), "xin2016"), (("xin2016",), "baron2016")),
)  # fmt: skip

TISSUES = (PBMC, ISLETS)


def read_study(source: Source, folder: Path) -> Study:
    """All cells with a label that is known here and with an expressed gene."""
    dataset = load(source.file if source.file == "demo" else folder / f"{source.file}.h5ad")
    cells = dataset.usable()
    theirs = label_values(dataset.obs, source.column)
    labels = np.array([source.labels.get(label, "") for label in theirs])
    donors = label_values(dataset.obs, source.donor) if source.donor else cells.ids
    groups = donors if len(np.unique(donors)) >= MIN_DONORS else cells.ids
    keep = (labels != "") & (np.diff(cells.expression.indptr) > 0)
    return Study(source.name, cells, labels, groups).take(np.flatnonzero(keep))


def sampled(study: Study, per_type: int, seed: int) -> Study:
    """At most ``per_type`` cells of each type, donors in turn, so that none is drowned."""
    rng, kept = np.random.default_rng(seed), []
    for label in np.unique(study.labels):
        members = rng.permutation(np.flatnonzero(study.labels == label))
        turn = _turns(study.groups[members])
        kept.append(members[np.argsort(turn, kind="stable")][:per_type])
    return study.take(np.sort(np.concatenate(kept)))


def _turns(groups: np.ndarray) -> np.ndarray:
    """How many earlier entries are of the same group, (n,)."""
    order = np.argsort(groups, kind="stable")
    _, starts, codes = np.unique(groups[order], return_index=True, return_inverse=True)
    out = np.empty(len(groups), dtype=np.int64)
    out[order] = np.arange(len(groups)) - starts[codes]
    return out


def trimmed(study: Study, least: float) -> Study:
    """Only the genes that at least a share ``least`` of the cells express.

    It looks at this study alone, so what a study gives does not depend on the others.
    """
    expressed = np.bincount(study.cells.expression.indices, minlength=len(study.cells.genes))
    common = set(study.cells.genes[expressed >= max(1.0, least * len(study))])
    return Study(study.name, study.cells.restrict(common), study.labels, study.groups)


def known_classes(studies: list[Study], classes: dict[str, str]) -> tuple[str, ...]:
    """The classes that these studies hold ten cells of, or more, in the tissue's order."""
    labels = np.concatenate([study.labels for study in studies])
    return tuple(name for name in classes if (labels == name).sum() >= MIN_CLASS)
