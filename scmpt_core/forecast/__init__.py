"""Which encoder will win: what a sample tells before any training, and what that was worth."""

from scmpt_core.forecast.calibration import Calibration, Case, calibrate, kinds_of
from scmpt_core.forecast.forecast import LEVEL, Forecast, Row, ask, chances, forecast
from scmpt_core.forecast.probes import FUSED, PROBES, Probed, ProbeInfo, get_probe
from scmpt_core.forecast.properties import Properties, Window, properties
from scmpt_core.forecast.record import (
    ALWAYS_FUSED,
    ALWAYS_PCA,
    RECORD,
    WITHIN,
    Rival,
    TrackRecord,
    read_record,
)
from scmpt_core.forecast.sample import CELLS, Sample, draw

__all__ = [
    "ALWAYS_FUSED", "ALWAYS_PCA", "CELLS", "FUSED", "LEVEL", "PROBES", "RECORD", "WITHIN",
    "Calibration", "Case", "Forecast", "ProbeInfo", "Probed", "Properties", "Rival", "Row",
    "Sample", "TrackRecord", "Window", "ask", "calibrate", "chances", "draw", "forecast",
    "get_probe", "kinds_of", "properties", "read_record",
]  # fmt: skip
