"""The 15 nearest training cells in 50 principal components, near ones counting more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from scmpt_core.cells import Cells
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.evaluation.baselines.base import BaselineInfo, aligned, present_classes, spread
from scmpt_core.progress import silent

NEIGHBOURS = 15


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Fitted to the training cells, components and all."""

    pca: PCAEncoder
    model: KNeighborsClassifier
    classes: int

    def proba(self, cells: Cells) -> np.ndarray:
        """Share of each class among the neighbours, weighted by 1 ÷ distance."""
        scores = self.pca.encode(aligned(cells, self.pca.genes), silent)  # (cells, 50)
        return spread(self.model.predict_proba(scores), self.model.classes_, self.classes)


def fit_knn(train: Cells, codes: np.ndarray, classes: int, seed: int = 0) -> Neighbours:
    """Fit the components, keep the cells; nothing is random. Fewer than 15 cells: all of them.

    Raises
    ------
    ValueError
        Cells, codes and classes do not fit each other.
    ModelError
        There is one cell or one gene only.
    """
    present_classes(train, codes, classes)
    pca = PCAEncoder(get_spec("pca").info).fit(train)
    model = KNeighborsClassifier(min(NEIGHBOURS, len(train)), weights="distance")
    return Neighbours(pca, model.fit(pca.encode(train, silent), codes), classes)


KNN = BaselineInfo(
    name="knn",
    summary=f"{NEIGHBOURS} nearest training cells on 50 principal components",
    reference="Cover and Hart 1967, doi:10.1109/TIT.1967.1053964; scikit-learn",
    licence="BSD-3-Clause (scikit-learn)",
    fit=fit_knn,
)
