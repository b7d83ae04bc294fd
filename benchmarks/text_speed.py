"""MiniLM over cell sentences: our encoder against ``SentenceTransformer.encode``.

    PYTHONPATH=. python benchmarks/text_speed.py [--cells 128] [--rounds 5]

Same cells (of the demo), same weights, 256 tokens a cell, one machine, in turn. The peer runs in
float32, its default, with the joined sentences at hand.
"""

from __future__ import annotations

import scmpt_core  # noqa: F401 (settings of threads, before torch starts any)

# isort: split
import argparse

import numpy as np

from benchmarks.race import matrix_rate, race, transformer_flops
from scmpt_core.data import load
from scmpt_core.device import choose_device
from scmpt_core.encoders import load_encoder
from scmpt_core.progress import silent
from scmpt_core.sentences import cell_sentences


def main() -> None:
    """Print the rates, the ratio, the cosine, and the share of this machine's matrix rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    cells, device = load("demo").usable().take(np.arange(args.cells)), choose_device()
    encoder, sentences = load_encoder("minilm", device), cell_sentences(cells)
    print(f"{args.cells} cells; {device.reason}")
    mine, theirs = f"ours, {device.dtype_name}", "SentenceTransformer.encode, float32"
    rates = race(
        {mine: lambda: encoder.encode(cells, silent),
         theirs: lambda: encoder.model.encode(sentences, batch_size=32)},
        args.cells, "cells", args.rounds,
    )  # fmt: skip
    cosine = (encoder.encode(cells, silent) * encoder.model.encode(sentences)).sum(axis=1)
    print(f"cosine between the two: at least {cosine.min():.5f}")
    tokens = float(encoder.token_ids(cells).lengths.mean())
    work = transformer_flops(tokens, 6, 384, 1536) * rates[mine]
    peak = matrix_rate("cpu", device.dtype)
    print(f"{work / 1e9:,.0f} GFLOP/s of plain work, {work / peak:.0%} of the {peak / 1e9:,.0f} "
          f"that this machine multiplies {device.dtype_name} matrices with")  # fmt: skip


if __name__ == "__main__":
    main()
