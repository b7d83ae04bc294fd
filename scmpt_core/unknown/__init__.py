"""Cells of types that a model was never trained on. A detector is one file and one line."""

from scmpt_core.unknown.base import Context, DetectorInfo, FittedDetector
from scmpt_core.unknown.detector import UnknownDetector
from scmpt_core.unknown.registry import DETECTORS, get_detector

__all__ = [
    "DETECTORS",
    "Context",
    "DetectorInfo",
    "FittedDetector",
    "UnknownDetector",
    "get_detector",
]
