"""CellTypist, trained on the same cells as everything else."""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import log_expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from scmpt_core.cells import Cells
from scmpt_core.errors import MissingComponent
from scmpt_core.evaluation.baselines.base import (
    BaselineInfo,
    FittedBaseline,
    aligned,
    present_classes,
    spread,
)
from scmpt_core.evaluation.baselines.majority import fit_majority

FOLDER = "CELLTYPIST_FOLDER"  # the variable that says where its models lie
ROUGH_ROUNDS = 20  # of gradient descent, to choose genes
TOP_GENES = 300  # a class
CLIP = 10.0  # standard deviations, CellTypist's
BLOCK = 4_096  # cells scaled at a time: scaling makes them dense


class OneVsRestLogistic(LogisticRegression):
    """One regression a class, each against all others.

    CellTypist 1.7.1 asks for this by ``multi_class="ovr"``, which scikit-learn 1.8 took away
    (Teichlab/celltypist#164); without it ``celltypist.train`` ends in a TypeError.
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        solver: str = "lbfgs",
        max_iter: int = 100,
        n_jobs: int | None = None,
        multi_class: str = "ovr",
        random_state: int | None = None,
    ) -> None:
        super().__init__(C=C, solver=solver, max_iter=max_iter, random_state=random_state)
        self.n_jobs, self.multi_class = n_jobs, multi_class

    def fit(self, X: np.ndarray, y: np.ndarray) -> OneVsRestLogistic:
        """Fit one regression a class; of two classes, one in all."""
        self.classes_ = np.unique(y)
        binary = {name: getattr(self, name) for name in ("C", "solver", "max_iter", "random_state")}
        targets = self.classes_ if len(self.classes_) > 2 else self.classes_[1:]
        fits = [LogisticRegression(**binary).fit(X, y == target) for target in targets]
        self.coef_ = np.concatenate([fit.coef_ for fit in fits])  # (classes, genes)
        self.intercept_ = np.concatenate([fit.intercept_ for fit in fits])
        self.n_features_in_ = X.shape[1]
        return self


@lru_cache
def _training() -> ModuleType:
    """CellTypist's module ``train``, which fits by :class:`OneVsRestLogistic`.

    Raises
    ------
    MissingComponent
        The package, or one that it needs, is not installed.
    """
    try:
        with _undisturbed():
            module = importlib.import_module("celltypist.train")
    except ModuleNotFoundError as error:
        raise MissingComponent(
            f"CellTypist cannot be imported: {error}.",
            "Run `pip install celltypist` (part of requirements.txt).",
        ) from error
    logging.getLogger("celltypist").setLevel(logging.ERROR)
    module.LogisticRegression = OneVsRestLogistic
    return module


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep from the process what CellTypist's import would do to it.

    It makes a folder for models to download, in the home folder; it sets up the root logger,
    unless that has a handler; and it silences warnings for everyone.
    """
    root, placeholder = logging.getLogger(), logging.NullHandler()
    before = os.environ.get(FOLDER)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it reads deprecated attributes
        root.addHandler(placeholder)
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            root.removeHandler(placeholder)
            os.environ.pop(FOLDER)
            if before is not None:
                os.environ[FOLDER] = before


@dataclass(frozen=True, eq=False)
class CellTypist:
    """A trained CellTypist model."""

    model: Any  # celltypist.Model
    classes: int

    def proba(self, cells: Cells) -> np.ndarray:
        """CellTypist's probabilities, made to sum to 1, (cells, classes) float32.

        CellTypist's own are one sigmoid a class, each against all others, and sum to anything;
        they are divided by their sum. The most probable class is CellTypist's.
        """
        x = aligned(cells, self.model.features).expression
        blocks = [self._decisions(x[i : i + BLOCK]) for i in range(0, len(cells), BLOCK)]
        # log space: a cell far from every class has sigmoids that all round to 0
        proba = softmax(log_expit(np.concatenate(blocks)), axis=1)
        return spread(proba, self.model.cell_types, self.classes)

    def _decisions(self, x: sp.csr_matrix) -> np.ndarray:
        """CellTypist's decision matrix of ``x``, (cells, genes) → (cells, present classes)."""
        scaler = self.model.scaler
        scaled = np.minimum((x.toarray() - scaler.mean_) / scaler.scale_, CLIP)
        return self.model.predict_labels_and_prob(scaled)[0]


def fit_celltypist(train: Cells, codes: np.ndarray, classes: int, seed: int = 0) -> FittedBaseline:
    """CellTypist's recipe for a reference of one's own (its tutorial on label transfer).

    ``celltypist.train`` twice: 20 rounds of stochastic gradient descent choose 300 genes a class,
    L-BFGS fits those; with 300 genes or fewer, only the latter. Mean macro F1 over nine
    validation parts of five sets: 0.881; with the tutorial's 5 rounds (for many more cells)
    0.875; by the one call with ``feature_selection=True``, whose first pass runs until it
    converges and which takes 4 × as long, 0.874.

    CellTypist expects ``log1p`` of 10,000 a cell and refuses anything else, in training and in
    predicting (values above 9.22). That check is off here: log values of another scale are used
    as they are, in both alike, and CellTypist standardises them gene by gene.

    With a single class in training there is nothing to fit: it has probability 1.

    Raises
    ------
    ValueError
        Cells, codes and classes do not fit each other.
    MissingComponent
        The package is not installed.
    """
    if len(present_classes(train, codes, classes)) == 1:
        return fit_majority(train, codes, classes)
    if len(np.unique(train.expression.indices)) > TOP_GENES:
        rough = _train(train, codes, seed, use_SGD=True, max_iter=ROUGH_ROUNDS)
        weights = np.abs(rough.classifier.coef_)  # (classes or 1, genes)
        top = np.argpartition(weights, -TOP_GENES, axis=1)[:, -TOP_GENES:]
        train = aligned(train, rough.features[np.unique(top)])
    return CellTypist(_train(train, codes, seed), classes)


def _train(train: Cells, codes: np.ndarray, seed: int, **settings: Any) -> Any:
    """``celltypist.train``, a ``celltypist.Model``."""
    function = _training().train
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few rounds are meant to be few
        return function(
            train.expression, labels=codes, genes=train.genes, check_expression=False,
            random_state=seed, **settings,
        )  # fmt: skip


CELLTYPIST = BaselineInfo(
    name="celltypist",
    summary="CellTypist, trained on the same cells",
    reference="Domínguez Conde et al. 2022, doi:10.1126/science.abl5197",
    licence="MIT",
    fit=fit_celltypist,
)
