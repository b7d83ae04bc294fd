"""Window: how many genes the text encoder sees."""

from __future__ import annotations

from scmpt_core.ablations.base import AblationInfo, numbers
from scmpt_core.ablations.content import top_n

WINDOW = [
    AblationInfo(
        "window", "window", "Genes in the window",
        "the text encoder reads only the first genes of the sentence; other encoders read all",
        ("text",), numbers("genes read", 80, 40, 20, 10, 5, default=20), perturb=top_n,
    ),
]  # fmt: skip
