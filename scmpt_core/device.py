"""Which device and number format the encoders use, and why, in one place."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch

from scmpt_core.errors import SettingError

if TYPE_CHECKING:
    from scmpt_core.settings import Settings


PAYS = 1.2  # bfloat16 is taken where it multiplies this many times as fast as float32
SHAPE = (256, 384, 1536)  # cells' tokens, and a layer of a text encoder
ROUNDS = 5


@dataclass(frozen=True)
class Device:
    """A device, the dtype of the encoders' weights on it, and the reason as text."""

    name: str  # "cpu", "cuda" or "mps"
    dtype: torch.dtype
    reason: str

    @property
    def dtype_name(self) -> str:
        """``"float32"`` or ``"bfloat16"``."""
        return str(self.dtype).removeprefix("torch.")


def choose_device(settings: Settings | None = None) -> Device:
    """Pick the fastest device, and bfloat16 only where the hardware multiplies it faster.

    Raises
    ------
    SettingError
        ``SCMPT_DEVICE`` names a device that this machine does not have.
    """
    if settings is None:
        from scmpt_core.settings import get_settings  # here: a Device needs nothing but torch

        settings = get_settings()
    name, why = _pick(settings.device)
    dtype, dtype_why = _dtype(name, settings.dtype)
    return Device(name, dtype, f"{name}: {why}; {dtype_why}")


def _available() -> dict[str, bool]:
    return {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }


def _pick(wanted: str) -> tuple[str, str]:
    available = _available()
    if wanted == "auto":
        name = next(device for device, there in available.items() if there)
        return name, "no GPU found" if name == "cpu" else "GPU found"
    if not available[wanted]:
        there = ", ".join(device for device, ok in available.items() if ok)
        raise SettingError(
            f"SCMPT_DEVICE is {wanted!r}, but PyTorch finds only: {there}.",
            "Unset SCMPT_DEVICE or name one of these.",
        )
    return wanted, "asked for by SCMPT_DEVICE"


def _dtype(device: str, wanted: str) -> tuple[torch.dtype, str]:
    if wanted != "auto":
        return getattr(torch, wanted), f"{wanted} asked for by SCMPT_DTYPE"
    if device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16, "bfloat16: the GPU supports it"
    if device == "cpu":
        # Emulated bfloat16 is slower than float32, so only real instructions count; and these
        # need not be faster: with AVX512-BF16 one processor was 2.1 × as fast, another 0.6 ×.
        found = [n for n in ("amx_bf16", "avx512_bf16") if torch.cpu.get_capabilities().get(n)]
        if found:
            name, gain = found[0].upper().replace("_", "-"), bfloat16_gain()
            if gain >= PAYS:
                return torch.bfloat16, f"bfloat16: {name} found"
            return torch.float32, f"float32: {name} found, but it is no faster here"
    return torch.float32, "float32: no bfloat16 instructions found"


@cache
def bfloat16_gain() -> float:
    """How many times as fast as float32 this processor multiplies bfloat16; measured once.

    The fastest of some rounds in turn, so that other work on the machine does not decide.
    """
    tokens, width, wide = SHAPE
    best = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    for _ in range(ROUNDS + 1):  # the first warms up, and is hardly the fastest
        for dtype in best:
            x, w = torch.ones(tokens, width, dtype=dtype), torch.ones(wide, width, dtype=dtype)
            start = time.perf_counter()
            torch.nn.functional.linear(x, w)
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best[torch.float32] / best[torch.bfloat16]
