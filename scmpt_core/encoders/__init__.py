"""Encoders: the registry, and what is common to its entries."""

from scmpt_core.encoders.base import (
    LONG_CELLS,
    Encoder,
    EncoderInfo,
    EncoderOptions,
    EncoderSpec,
    FittedEncoder,
    Status,
    identity_hash,
)
from scmpt_core.encoders.coverage import coverage_findings
from scmpt_core.encoders.download import DOWNLOADS, download
from scmpt_core.encoders.pca import PCAEncoder
from scmpt_core.encoders.registry import (
    DEFAULT_ENCODERS,
    DEFAULT_FUSED,
    DEFAULT_OPTIONS,
    ENCODERS,
    get_spec,
    load_encoder,
)

__all__ = [
    "DEFAULT_ENCODERS",
    "DEFAULT_FUSED",
    "DEFAULT_OPTIONS",
    "DOWNLOADS",
    "ENCODERS",
    "LONG_CELLS",
    "Encoder",
    "EncoderInfo",
    "EncoderOptions",
    "EncoderSpec",
    "FittedEncoder",
    "PCAEncoder",
    "Status",
    "coverage_findings",
    "download",
    "get_spec",
    "identity_hash",
    "load_encoder",
]
