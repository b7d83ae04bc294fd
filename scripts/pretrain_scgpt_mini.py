"""Pretrain scgpt-mini: a small scGPT, on any folder of human .h5ad files.

    PYTHONPATH=. python scripts/pretrain_scgpt_mini.py DATA_FOLDER OUT_FOLDER --steps 900

Upstream's two objectives on binned values (Cui et al. 2024, doi:10.1038/s41592-024-02201-0):
predict masked values from each gene's own token, and the same values from the ``<cls>`` vector
and the gene alone (MVC), with genes that the cell does not express sampled in. To these comes
self-distillation: ``<cls>`` of a random view of a cell (thinned counts, a random gene panel,
few genes) is held against principal components of the whole cell, fitted to the same
unlabelled cells. Comparisons are between cells of one file only.

Every ``--save-every`` steps the whole state is written to OUT_FOLDER/resume.pt; the same
command then continues, and ends with the same weights as a run that was never stopped (on the
same machine). The result is a checkpoint folder in upstream's layout, with float16 weights of
the encoder only and ``card.json``: data, seed, settings, losses.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from scmpt_core.encoders.scgpt.checkpoint import file_sha256
from scripts.mini_data import SPECIAL, File, read_files, vocabulary
from scripts.mini_model import Teacher, fit_teacher, start_from
from scripts.mini_run import Data, Recipe, Run

HELD_OUT = 384  # cells


def split_cells(files: list[File], seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Rows to train on and rows held out, in proportion to the files."""
    rng, total = np.random.default_rng(seed), sum(f.expression.shape[0] for f in files)
    train, held = [], []
    for file in files:
        rows = rng.permutation(file.expression.shape[0])
        size = min(round(HELD_OUT * len(rows) / total), len(rows) // 5)
        held.append(np.sort(rows[:size]))
        train.append(np.sort(rows[size:]))
    return train, held


def prepare(files: list[File], recipe: Recipe) -> tuple[Data, Teacher]:
    """Split, fit the teacher to the training cells, ask it about all cells."""
    train, held = split_cells(files, recipe.seed)
    seen = [
        File(f.name, f.expression[rows], f.units[rows], f.measured)
        for f, rows in zip(files, train, strict=True)
    ]
    teacher = fit_teacher(seen, recipe.dimensions, recipe.seed)
    targets = []
    for file, rows in zip(files, train, strict=True):
        scores = teacher.scores(file.expression)
        targets.append(scores - scores[rows].mean(axis=0))
    spread = np.sqrt(np.mean([t.std() ** 2 for t in targets]))  # errors near 1 to begin with
    return Data(files, train, held, [t / spread for t in targets]), teacher


def train(
    files: list[File], vocab: dict[str, int], recipe: Recipe, out: Path, device: str = "cpu",
    save_every: int = 200, stop_at: int | None = None,
) -> Run:  # fmt: skip
    """Train, or continue from ``out / resume.pt``, up to ``stop_at`` or the end."""
    data, teacher = prepare(files, recipe)
    run = Run(recipe, vocab, data, device)
    out.mkdir(parents=True, exist_ok=True)
    state = out / "resume.pt"
    if state.exists():
        run.restore(state)
        print(f"continuing at step {run.step}", flush=True)
    else:
        start_from(run.model, teacher, torch.Generator().manual_seed(recipe.seed))
        run.history.append(run.evaluate())
    end = recipe.steps if stop_at is None else min(stop_at, recipe.steps)
    while run.step < end:
        run.advance()
        if run.step % save_every == 0 or run.step == recipe.steps:
            run.history.append(run.evaluate())
            print(run.history[-1], flush=True)
            run.save(state)
    return run


def write(out: Path, run: Run, report: list[dict]) -> None:
    """The encoder as a checkpoint folder in upstream's layout, float16, and ``card.json``."""
    tensors = {k: v.half().cpu().contiguous() for k, v in run.model.state_dict().items()}
    save_file(tensors, out / "model.safetensors")
    config = run.config
    args = {"embsize": config.embsize, "nlayers": config.nlayers, "nheads": config.nheads,
            "d_hid": config.d_hid, "n_bins": config.n_bins, "pad_value": config.pad_value,
            "mask_value": config.mask_value, "max_seq_len": config.max_length,
            "pad_token": SPECIAL[0]}  # fmt: skip
    (out / "args.json").write_text(json.dumps(args, indent=1))
    (out / "vocab.json").write_text(json.dumps(run.vocab))
    card = {
        "recipe": asdict(run.recipe), "trained_steps": run.step,
        "cell_views_seen": run.step * run.recipe.groups * run.recipe.cells,
        "cells_distinct": sum(len(rows) for rows in run.data.train),
        "cells_held_out": sum(len(rows) for rows in run.data.held),
        "cpu_minutes": round(run.cpu_seconds / 60, 2), "threads": torch.get_num_threads(),
        "device": run.device, "weights_sha256": file_sha256(out / "model.safetensors"),
        "files": report, "history": run.history,
    }  # fmt: skip
    (out / "card.json").write_text(json.dumps(card, indent=1))


def main() -> None:
    """Read, train or continue, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--unseen", type=Path, help="folder whose cells must not be trained on")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--save-every", type=int, default=200)
    parser.add_argument("--recipe", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    vocab = vocabulary()
    recipe = Recipe(**({"steps": args.steps, "seed": args.seed} | args.recipe))
    files, report = read_files(args.data, vocab, args.leave_out, args.unseen)
    for line in report:
        print(line, flush=True)
    run = train(files, vocab, recipe, args.out, args.device, args.save_every)
    write(args.out, run, report)


if __name__ == "__main__":
    main()
