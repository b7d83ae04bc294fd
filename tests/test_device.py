"""Which number format is taken, and why."""

from __future__ import annotations

import pytest
import torch

from scmpt_core import device
from scmpt_core.device import PAYS, bfloat16_gain, choose_device
from scmpt_core.settings import Settings

AUTO = Settings(device="cpu", dtype="auto")


@pytest.fixture
def flags(monkeypatch):
    """Pretend that the processor has these instructions, and is so fast with them."""

    def pretend(names, gain):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(names, True))
        monkeypatch.setattr(device, "bfloat16_gain", lambda: gain)

    return pretend


def test_bfloat16_is_taken_where_it_is_faster(flags):
    flags(["avx512_bf16"], PAYS + 0.1)
    found = choose_device(AUTO)
    assert found.dtype is torch.bfloat16
    assert "AVX512-BF16 found" in found.reason


def test_instructions_that_are_no_faster_are_not_used(flags):
    flags(["avx512_bf16"], 0.6)
    found = choose_device(AUTO)
    assert found.dtype is torch.float32
    assert "no faster here" in found.reason


def test_without_instructions_nothing_is_measured(flags, monkeypatch):
    flags([], 9.0)
    monkeypatch.setattr(device, "bfloat16_gain", lambda: pytest.fail("measured"))
    assert choose_device(AUTO).dtype is torch.float32


def test_what_is_asked_for_is_taken(flags):
    flags(["avx512_bf16"], 0.6)
    assert choose_device(Settings(device="cpu", dtype="bfloat16")).dtype is torch.bfloat16


def test_the_gain_is_measured_once_and_is_a_ratio():
    bfloat16_gain.cache_clear()
    first = bfloat16_gain()
    assert 0.01 < first < 100
    assert bfloat16_gain() == first
