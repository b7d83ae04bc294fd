"""The probes: cheap numbers that a sample gives before any training. A kind is a file and a line.

Adding one: its file, a line here, and a run of ``benchmarks/forecast.py``.
"""

from scmpt_core.forecast.probes.base import FUSED, Probed, ProbeInfo, units_of
from scmpt_core.forecast.probes.knn import KNN
from scmpt_core.forecast.probes.linear import LINEAR
from scmpt_core.forecast.probes.logme import LOGME
from scmpt_core.registry import find

PROBES = [LINEAR, KNN, LOGME]


def get_probe(name: str) -> ProbeInfo:
    """The entry called ``name``.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(PROBES, name, "probe")


__all__ = ["FUSED", "PROBES", "ProbeInfo", "Probed", "get_probe", "units_of"]
