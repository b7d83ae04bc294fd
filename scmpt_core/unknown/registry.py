"""The list of detectors. A kind is one file and one line here."""

from scmpt_core.unknown.base import DetectorInfo
from scmpt_core.unknown.energy import ENERGY
from scmpt_core.unknown.mahalanobis import MAHALANOBIS
from scmpt_core.unknown.neighbours import NEIGHBOURS_INFO
from scmpt_core.unknown.profile import PROFILE

DETECTORS: list[DetectorInfo] = [ENERGY, MAHALANOBIS, NEIGHBOURS_INFO, PROFILE]


def get_detector(name: str) -> DetectorInfo:
    """The entry called ``name``.

    Raises
    ------
    KeyError
        There is none.
    """
    return {info.name: info for info in DETECTORS}[name]
