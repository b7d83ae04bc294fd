"""The paper's grid by successive halving against one setting after the other.

    PYTHONPATH=. python benchmarks/head_search.py [FILE --label COLUMN] [--group COLUMN]

The peer fits each of the 60 settings as one would by hand: a plain module, ``torch.optim.AdamW``,
early stopping, the lowest validation loss wins; in the number format that ours trains in. Same
vectors, same splits, in turn, seed by seed. Printed are seconds (of the clock and of the
processor: other work on the machine slows both alike), the validation loss of the choice, its
macro F1 on the test cells, and the ratios.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from scmpt_core import fusion
from scmpt_core.data import Split, load
from scmpt_core.device import Device, choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion.fits import Data, Hyperparameters
from scmpt_core.fusion.search import PAPER
from scmpt_core.fusion.training import mixed_precision
from scmpt_core.metrics import score
from scmpt_core.progress import silent
from scmpt_core.settings import get_settings


@dataclass(frozen=True)
class Choice:
    """What a search chose, and what it cost."""

    validation_loss: float
    logits: np.ndarray  # (test cells, classes)
    seconds: float
    processor: float


def one_after_the_other(data: Data, test: np.ndarray, seed: int, device: Device) -> Choice:
    """The peer."""
    mean = data.train[0].mean(axis=0)
    blocks = np.split(data.train[0] - mean, np.cumsum(data.blocks)[:-1], axis=1)
    scale = np.repeat([np.sqrt((block**2).mean()) for block in blocks], data.blocks)

    def tensor(x: np.ndarray) -> torch.Tensor:
        return torch.as_tensor((x - mean) / scale, dtype=torch.float32, device=device.name)

    x, held = tensor(data.train[0]), tensor(data.validation[0])
    y, truth = (torch.as_tensor(p[1], device=device.name) for p in (data.train, data.validation))
    best, best_model = float("inf"), None
    for hyper in PAPER.settings:
        loss, model = _fit(x, y, held, truth, data.classes, hyper, seed, device)
        if loss < best:
            best, best_model = loss, model
    with torch.inference_mode():
        return Choice(best, best_model(tensor(test)).cpu().numpy(), 0, 0)


def _fit(
    x: torch.Tensor, y: torch.Tensor, held: torch.Tensor, truth: torch.Tensor, classes: int,
    hyper: Hyperparameters, seed: int, device: Device,
) -> tuple[float, nn.Module]:  # fmt: skip
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(x.shape[1], 4096), nn.ReLU(), nn.Dropout(hyper.dropout), nn.Linear(4096, classes)
    ).to(device.name)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=hyper.learning_rate, weight_decay=hyper.weight_decay, fused=True
    )
    best, best_epoch, state = float("inf"), 0, {}
    for epoch in range(1, hyper.max_epochs + 1):
        model.train()
        for batch in torch.randperm(len(x)).to(x.device).split(hyper.batch_size):
            with torch.autocast(device.name, torch.bfloat16, enabled=mixed_precision(device)):
                logits = model(x[batch])
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(logits.float(), y[batch]).backward()
            optimiser.step()
        model.eval()
        with torch.inference_mode():
            loss = float(F.cross_entropy(model(held), truth))
        if loss < best:
            best, best_epoch, state = loss, epoch, copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= hyper.patience:
            break
    model.load_state_dict(state)
    return best, model


def ours(data: Data, test: np.ndarray, seed: int, device: Device) -> Choice:
    """The paper's head as ``compare --effort paper`` fits it."""
    fit = fusion.get_head("concat").fit(data, PAPER, seed, device, silent)
    return Choice(fit.validation_loss, fusion.predict_logits(fit.head, test, device), 0, 0)


def timed(way: Callable[..., Choice], *args: object) -> Choice:
    """The choice of ``way``, with what it cost."""
    start, used = time.perf_counter(), time.process_time()
    made = way(*args)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    return Choice(made.validation_loss, made.logits, seconds, processor)


def cells_of(task: fusion.Task, split: Split, vectors: dict[str, np.ndarray]) -> Data:
    """Training and validation cells of ``split``."""
    x = fusion.side_by_side(vectors, tuple(vectors))
    parts = [(x[cells], task.codes[cells]) for cells in (split.train, split.validation)]
    return Data(*parts, len(task.classes), tuple(v.shape[1] for v in vectors.values()))


def main() -> None:
    """Print two lines a seed, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", default="demo")
    parser.add_argument("--label", default="bulk_labels")
    parser.add_argument("--group")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--encoder", action="append")
    args = parser.parse_args()

    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    task = fusion.make_task(load(args.file), args.label, args.group)
    names = args.encoder or ["scgpt-mini", "minilm"]
    vectors = fusion.embed(fusion.load_encoders(names, device), task.cells, store)
    test_x = fusion.side_by_side(vectors, names)
    ratios, losses, scores = [], [], []
    for seed in range(args.seeds):
        split = task.splits(seed)[0]
        data, truth = cells_of(task, split, vectors), task.codes[split.test]
        row = {}
        for name, way in (("ours", ours), ("one after the other", one_after_the_other)):
            made = timed(way, data, test_x[split.test], seed, device)
            f1 = score(truth, made.logits.argmax(axis=1), task.classes).macro_f1
            row[name] = (made, f1)
            print(
                f"seed {seed}  {name:20} {made.seconds:7.1f} s ({made.processor:7.1f} s of the "
                f"processor)  validation loss {made.validation_loss:.4f}  macro F1 {f1:.3f}",
                flush=True,
            )
        (mine, f1), (peer, peer_f1) = row.values()
        ratios.append((peer.seconds / mine.seconds, peer.processor / mine.processor))
        losses.append(mine.validation_loss - peer.validation_loss)
        scores.append(f1 - peer_f1)
    wall, processor = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(
        f"{task.label}: {len(data.train[1])} training cells, {len(PAPER.settings)} settings, "
        f"{device.name}: {wall:.1f} × as fast by the clock, {processor:.1f} × by the processor; "
        f"validation loss {np.mean(losses):+.4f}, macro F1 {np.mean(scores):+.3f} against the peer"
    )


if __name__ == "__main__":
    main()
