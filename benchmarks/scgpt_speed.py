"""scGPT's whole-human shape: our encoder against upstream's ``get_batch_cell_embeddings``.

    PYTHONPATH=. python benchmarks/scgpt_speed.py [--cells 64] [--rounds 5]

Same cells (of the demo), same random weights, one machine, in turn. Upstream runs in float32 and
in batches of 64, as it does by default without a GPU.
"""

from __future__ import annotations

import scmpt_core  # noqa: F401 (settings of threads, before torch starts any)

# isort: split
import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.race import matrix_rate, race, transformer_flops
from scmpt_core.data import load
from scmpt_core.device import Device, choose_device
from scmpt_core.encoders import registry
from scmpt_core.encoders.scgpt import ScGPTEncoder, load_checkpoint
from scmpt_core.progress import silent
from tests import upstream


def main() -> None:
    """Print the rates, the ratio, and how near ours comes to this machine's matrix rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    cells = load("demo").usable().take(np.arange(args.cells))
    vocabulary, device = upstream.census_vocabulary(), choose_device()
    model = upstream.reference_model(upstream.HUMAN, vocabulary)
    with tempfile.TemporaryDirectory() as folder:
        upstream.save_official(model, upstream.HUMAN, vocabulary, Path(folder), flash=True)
        ours = {
            d.dtype_name: ScGPTEncoder(registry.SCGPT_HUMAN, load_checkpoint(Path(folder)), d)
            for d in {
                device.dtype: device,
                torch.float32: Device("cpu", torch.float32, ""),
            }.values()
        }
    ids = np.array([vocabulary.get(g, -1) for g in cells.genes])
    dense = cells.expression.toarray()[:, ids >= 0]
    print(f"{args.cells} cells, {np.diff(cells.expression.indptr).mean():.0f} genes each; "
          f"{device.reason}")  # fmt: skip
    ways = {f"ours, {d}": lambda e=e: e.encode(cells, silent) for d, e in ours.items()}
    theirs = "upstream, float32"
    ways[theirs] = lambda: upstream.embed(model, dense, ids[ids >= 0], vocabulary, upstream.HUMAN)
    rates = race(ways, args.cells, "cells", args.rounds)
    tokens = float(next(iter(ours.values())).tokens(cells).lengths.mean()) + 1
    work = transformer_flops(tokens, 12, 512, 512) * rates[f"ours, {device.dtype_name}"]
    peak = matrix_rate("cpu", device.dtype)
    print(f"{work / 1e9:,.0f} GFLOP/s of plain work, {work / peak:.0%} of the {peak / 1e9:,.0f} "
          f"that this machine multiplies {device.dtype_name} matrices with")  # fmt: skip


if __name__ == "__main__":
    main()
