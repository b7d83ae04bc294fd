"""The plain classifiers that everything is held against. A kind is one file and one line here."""

from scmpt_core.evaluation.baselines.base import BaselineInfo, FittedBaseline
from scmpt_core.evaluation.baselines.celltypist import CELLTYPIST
from scmpt_core.evaluation.baselines.knn import KNN
from scmpt_core.evaluation.baselines.logistic import LOGISTIC
from scmpt_core.evaluation.baselines.majority import MAJORITY
from scmpt_core.registry import find

BASELINES = [MAJORITY, LOGISTIC, KNN, CELLTYPIST]


def get_baseline(name: str) -> BaselineInfo:
    """The entry called ``name``.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(BASELINES, name, "baseline")


__all__ = ["BASELINES", "BaselineInfo", "FittedBaseline", "get_baseline"]
