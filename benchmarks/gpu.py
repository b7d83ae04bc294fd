"""Both Transformers on a GPU, at their full shapes, with random weights.

    PYTHONPATH=. python benchmarks/gpu.py [--device cuda] [--rounds 3]

Needs torch, numpy, numba, safetensors and transformers, nothing else of requirements.txt: it can
be run where only the GPU is. scGPT: whole-human shape at 1,200 tokens, from CSR to vectors on the
host, against what upstream does without flash-attn (per-cell binning in the collating loop,
``nn.TransformerEncoder``, half precision, batches of 64). Text: BERT-large, Ember-V1's shape, at
512 tokens, from token ids to vectors on the host, against the module in float32 in batches of 32,
which is what ``SentenceTransformer.encode`` calls.
"""

from __future__ import annotations

import scmpt_core  # noqa: F401 (settings of threads, before torch starts any)

# isort: split
import argparse
import sys
import types
from pathlib import Path

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).parents[1]
for name in ("scmpt_core.encoders", "scmpt_core.encoders.scgpt"):
    # Their __init__ would import the whole registry, and with it anndata and scikit-learn.
    package = types.ModuleType(name)
    package.__path__ = [str(ROOT / name.replace(".", "/"))]
    sys.modules[name] = package

from benchmarks.race import matrix_rate, race, transformer_flops  # noqa: E402
from scmpt_core.device import Device  # noqa: E402
from scmpt_core.encoders.batching import Budget, encode_batches  # noqa: E402
from scmpt_core.encoders.bert import PackedBert  # noqa: E402
from scmpt_core.encoders.packed import Packing  # noqa: E402
from scmpt_core.encoders.scgpt.model import ScGPT, ScGPTConfig  # noqa: E402
from scmpt_core.encoders.scgpt.packed import PackedScGPT  # noqa: E402
from scmpt_core.encoders.scgpt.tokens import GeneTokens, TokenRows  # noqa: E402
from scmpt_core.progress import Meter, silent  # noqa: E402

CLS, PAD, VOCABULARY = 60_695, 60_694, 60_697


class MadeCells:
    """What :class:`GeneTokens` asks of cells, without SciPy: ``genes`` expressed genes each."""

    def __init__(self, cells: int, genes: int, symbols: int = 30_000) -> None:
        self.tie_seeds = None
        rng = np.random.default_rng(0)
        picks = [np.sort(rng.choice(symbols, genes, replace=False)) for _ in range(cells)]
        counts = np.log1p(rng.geometric(0.4, cells * genes)).astype(np.float32)
        self.expression = types.SimpleNamespace(
            indptr=np.arange(0, cells * genes + 1, genes),
            indices=np.concatenate(picks),
            data=counts,
        )
        self.genes = [f"G{i}" for i in range(symbols)]
        self.gene_hashes = rng.integers(1 << 62, size=symbols).astype(np.uint64)

    def __len__(self) -> int:
        return len(self.expression.indptr) - 1


def scgpt(device: Device, cells: int, peer: int, rounds: int, layers: int) -> None:
    """The whole-human shape."""
    torch.manual_seed(0)
    config = ScGPTConfig(VOCABULARY, nlayers=layers)
    model = ScGPT(config).eval()
    packed, made = PackedScGPT(model, device), MadeCells(cells, 1_500)
    vocabulary = {gene: i for i, gene in enumerate(made.genes)}

    def ours() -> np.ndarray:
        tokens, out = GeneTokens(made, vocabulary, 51, 1_199), np.empty((cells, 512), np.float32)

        def forward(rows: TokenRows) -> torch.Tensor:
            return packed(rows.ids, rows.values, rows.lengths)

        meter = Meter(silent, cells, "cells", "scGPT")
        encode_batches(
            tokens.lengths + 1, lambda which: tokens.rows(which, (CLS, -2)), forward, out,
            Budget.of(device.name), meter,
        )  # fmt: skip
        return out

    layer = nn.TransformerEncoderLayer(512, 8, 512, batch_first=True, dropout=0.0)
    stack = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False).eval()
    stack.load_state_dict(model.transformer_encoder.state_dict())
    stack, theirs = stack.to(device.name), model.to(device.name)
    half = torch.float16 if device.name == "cuda" else torch.bfloat16

    @torch.inference_mode()
    def upstreams_way() -> None:
        indptr, rng = made.expression.indptr, np.random.default_rng(0)
        for start in range(0, peer, 64):
            ids, values = [], []
            for cell in range(start, min(start + 64, peer)):
                row = made.expression.data[indptr[cell] : indptr[cell + 1]]
                edges = np.quantile(row, np.linspace(0, 1, 50))
                left, right = np.digitize(row, edges), np.digitize(row, edges, right=True)
                bins = np.ceil(rng.random(len(row)) * (right - left) + left)
                kept = rng.permutation(len(row))[:1_199]
                genes = made.expression.indices[indptr[cell] : indptr[cell + 1]]
                ids.append(np.concatenate([[CLS], genes[kept]]))
                values.append(np.concatenate([[-2.0], bins[kept]]))
            with torch.autocast(device.name, dtype=half):
                x = theirs.encoder(torch.from_numpy(np.stack(ids)).to(device.name))
                shown = torch.from_numpy(np.stack(values)).float().to(device.name)
                x = x + theirs.value_encoder(shown)
                padding = torch.zeros(x.shape[:2], dtype=torch.bool, device=device.name)
                stack(x, src_key_padding_mask=padding)[:, 0].float().cpu()

    few = GeneTokens(made, vocabulary, 51, 1_199).rows(np.arange(min(32, cells)), (CLS, -2))
    exact = PackedScGPT(model.cpu(), Device(device.name, torch.float32, "to compare with"))
    _agree("scGPT", *(m(few.ids, few.values, few.lengths) for m in (packed, exact)))
    model.to(device.name)
    _report(device, "scGPT", ours, cells, upstreams_way, peer, rounds,
            transformer_flops(1_200, layers, 512, 512))  # fmt: skip


def text(device: Device, cells: int, peer: int, rounds: int, layers: int) -> None:
    """BERT-large at 512 tokens, CLS pooling."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=1_024, num_hidden_layers=layers, num_attention_heads=16, intermediate_size=4_096
    )
    bert = BertModel(config, add_pooling_layer=False).eval()
    packed = PackedBert(bert, device)
    bert = bert.to(device.name)
    ids = np.random.default_rng(0).integers(1_000, 30_000, (cells, 512))
    lengths = np.full(cells, 512)

    def ours() -> np.ndarray:
        out = np.empty((cells, 1_024), np.float32)

        def forward(rows: np.ndarray) -> torch.Tensor:
            packing = Packing.of(np.full(len(rows), 512), device.name)
            return packed(rows.ravel(), packing, first_only=True)

        meter = Meter(silent, cells, "cells", "text")
        budget = Budget.of(device.name)
        encode_batches(lengths, lambda which: ids[which], forward, out, budget, meter)
        return out

    @torch.inference_mode()
    def modules_way() -> None:
        for start in range(0, peer, 32):
            batch = torch.from_numpy(ids[start : min(start + 32, peer)]).to(device.name)
            bert(batch, attention_mask=torch.ones_like(batch)).last_hidden_state[:, 0].cpu()

    few, n = ids[:32].ravel(), min(32, cells)
    exact = PackedBert(bert.cpu(), Device(device.name, torch.float32, "to compare with"))
    packing = Packing.of(np.full(n, 512), device.name)
    _agree("text", *(m(few, packing, first_only=True) for m in (packed, exact)))
    bert.to(device.name)
    _report(device, "text", ours, cells, modules_way, peer, rounds,
            transformer_flops(512, layers, 1_024, 4_096))  # fmt: skip


def _agree(what: str, fast: torch.Tensor, exact: torch.Tensor) -> None:
    """A speed of wrong numbers is none: end unless they are those of float32, cell by cell."""
    cosine = float(torch.cosine_similarity(fast.float(), exact.float()).min())
    print(f"{what}: cosine to float32, one cell at a time: at least {cosine:.5f}")
    if not cosine >= 0.999:
        raise SystemExit(f"{what}: the fast path gives other numbers.")


def _report(device, what, ours, cells, theirs, peer, rounds, flops) -> None:
    mine = race({f"{what}, ours": ours}, cells, "cells", rounds)[f"{what}, ours"]
    other = race({f"{what}, peer": theirs}, peer, "cells", rounds)[f"{what}, peer"]
    size = (65_536, 1_024) if device.name == "cuda" else (4_096, 512)
    peak = matrix_rate(device.name, device.dtype, *size)
    print(
        f"{what}: {mine / other:.1f} × the peer; {mine * flops / 1e12:,.2f} TFLOP/s of plain "
        f"work, {mine * flops / peak:.0%} of this device's {device.dtype_name} matrix rate"
    )


def main() -> None:
    """Print both ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--cells", type=int, default=16_384)
    parser.add_argument("--peer-cells", type=int, default=1_024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, help="Fewer than the shape's, to try it out.")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "PyTorch finds no GPU; --device cpu --cells 8 --peer-cells 8 tries it out."
        )
    device = Device(args.device, torch.bfloat16, "asked for")
    print(torch.cuda.get_device_name() if args.device == "cuda" else "CPU", torch.__version__)
    scgpt(device, args.cells, args.peer_cells, args.rounds, args.layers or 12)
    text(device, args.cells, args.peer_cells, args.rounds, args.layers or 24)


if __name__ == "__main__":
    main()
