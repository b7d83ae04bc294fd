"""scGPT (Cui et al. 2024, doi:10.1038/s41592-024-02201-0) in plain PyTorch."""

from scmpt_core.encoders.scgpt.checkpoint import Checkpoint, ScGPTConfig, load_checkpoint
from scmpt_core.encoders.scgpt.encoder import ScGPTEncoder
from scmpt_core.encoders.scgpt.model import ScGPT

__all__ = ["Checkpoint", "ScGPT", "ScGPTConfig", "ScGPTEncoder", "load_checkpoint"]
