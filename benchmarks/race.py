"""Two ways against each other: interleaved, so that a busy machine hurts both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

Way = Callable[[], object]


def race(ways: dict[str, Way], units: int, unit: str, rounds: int) -> dict[str, float]:
    """Run each way ``rounds`` times in turn, after a first that is not timed; print medians.

    The last way is the peer; every ratio is against it.

    Returns
    -------
    Way → median units per second.
    """
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    rates = {name: units / statistics.median(times) for name, times in seconds.items()}
    *_, peer = rates
    for name, rate in rates.items():
        spread = f"{units / max(seconds[name]):,.1f} – {units / min(seconds[name]):,.1f}"
        ratio = "" if name == peer else f"  {rate / rates[peer]:.1f} × the peer"
        print(f"{name:34} {rate:12,.1f} {unit}/s  ({spread}, {rounds} rounds){ratio}", flush=True)
    return rates


def matrix_rate(device: str, dtype: torch.dtype, size: int = 4_096, width: int = 512) -> float:
    """Measured multiply-and-add operations a second (2 a pair) of (size × width) @ (width²)."""
    left = torch.randn(size, width, dtype=dtype, device=device)
    right = torch.randn(width, width, dtype=dtype, device=device)
    seconds = []
    for _ in range(30):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return 2 * size * width * width / statistics.median(seconds)


def transformer_flops(tokens: float, layers: int, dim: int, hidden: int) -> float:
    """Multiply-and-add operations of one sequence through plain layers, no trick counted."""
    return layers * tokens * (8 * dim * dim + 4 * dim * hidden + 4 * tokens * dim)
