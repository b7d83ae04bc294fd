"""One training run of scgpt-mini: recipe, data, and everything that changes from step to step."""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from scmpt_core.encoders.scgpt.model import ScGPT, ScGPTConfig
from scripts.mini_data import File, panel, views
from scripts.mini_model import Heads, distil_losses, forward

LOSSES = ("masked", "mvc", "regression", "contrast", "alignment")


@dataclass(frozen=True)
class Recipe:
    """All that the result depends on besides the data."""

    steps: int = 900
    seed: int = 0
    embsize: int = 256
    nlayers: int = 2
    nheads: int = 4
    d_hid: int = 384
    n_bins: int = 101
    max_length: int = 2400  # of a cell in use; views are shorter
    groups: int = 4  # a batch: so many files (with replacement) …
    cells: int = 32  # … and so many cells of each
    genes: int = 100  # expressed genes a view
    masked: int = 20  # of these, upstream's mask
    absent: int = 20  # unexpressed genes, predicted from <cls>
    dimensions: int = 256  # of the teacher
    temperature: float = 0.1
    learning_rate: float = 1e-3
    weights: dict[str, float] = field(
        default_factory=lambda: dict(zip(LOSSES, (1.0, 1.0, 1.0, 0.3, 1.0), strict=True))
    )


@dataclass(frozen=True, eq=False)
class Data:
    """Training and held-out cells of every file, and what the teacher says of them."""

    files: list[File]
    train: list[np.ndarray]  # rows, one array a file
    held: list[np.ndarray]
    targets: list[np.ndarray]  # (cells, dimensions), one array a file


class Run:
    """A training run: everything that changes from step to step."""

    def __init__(self, recipe: Recipe, vocab: dict[str, int], data: Data, device: str) -> None:
        self.recipe, self.vocab, self.data, self.device = recipe, vocab, data, device
        self.config = ScGPTConfig(
            len(vocab), recipe.embsize, recipe.nlayers, recipe.nheads, recipe.d_hid,
            recipe.n_bins, max_length=recipe.max_length,
        )  # fmt: skip
        torch.manual_seed(recipe.seed)
        self.model = ScGPT(self.config).to(device)
        self.heads = Heads(recipe.embsize, data.targets[0].shape[1]).to(device)
        weights = [*self.model.parameters(), *self.heads.parameters()]
        self.optimiser = torch.optim.AdamW(weights, recipe.learning_rate, weight_decay=0.01)
        self.rng = np.random.default_rng(recipe.seed)  # the only chance in a step
        self.step, self.cpu_seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    def group(self, file: int, rows: np.ndarray, rng: np.random.Generator) -> dict[str, Tensor]:
        """One view of each of these cells of one file, as the model and the losses read it."""
        recipe, source, n = self.recipe, self.data.files[file], len(rows)
        mask = panel(source, rng, source.expression.shape[1])
        depth = np.where(rng.random(n) < 0.5, rng.uniform(0.2, 1.0, n), 1.0)
        ids = np.empty((n, recipe.genes), dtype=np.int64)
        values = np.full((n, recipe.genes), self.config.pad_value, dtype=np.float32)
        x = source.expression
        views(
            x.indptr, x.indices, x.data, source.units.data, rows, mask, depth,
            recipe.n_bins, recipe.genes, int(rng.integers(2**31)), ids, values,
        )  # fmt: skip
        absent = rng.choice(source.measured[mask[source.measured]], (n, recipe.absent))
        for i, row in enumerate(rows):
            on = x.indices[x.indptr[row] : x.indptr[row + 1]]
            absent[i, np.isin(absent[i], on)] = self.vocab["<pad>"]
        ids[ids < 0] = self.vocab["<pad>"]
        return {
            "ids": torch.from_numpy(ids).to(self.device),
            "values": torch.from_numpy(values).to(self.device),
            "absent": torch.from_numpy(absent).to(self.device),
            "target": torch.from_numpy(self.data.targets[file][rows]).to(self.device),
        }

    def losses(self, groups: list[dict[str, Tensor]]) -> Tensor:
        """Each of ``LOSSES`` on one batch; a group holds cells of one file."""
        recipe, pad = self.recipe, self.vocab["<pad>"]
        ids = torch.cat([g["ids"] for g in groups])
        values = torch.cat([g["values"] for g in groups])
        absent = torch.cat([g["absent"] for g in groups])
        # genes come in random order, so the first ones are a random choice to mask
        shown = values.clone()
        hidden = ids[:, : recipe.masked] != pad
        shown[:, : recipe.masked][hidden] = self.config.mask_value
        cls = torch.full_like(ids[:, :1], self.vocab["<cls>"])
        tokens = torch.cat([cls, ids], dim=1)
        shown = F.pad(shown, (1, 0), value=self.config.pad_value)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            out = forward(self.model, tokens, shown, tokens == pad, 1 + recipe.masked)
            own = self.heads.fc(out[:, 1:]).squeeze(-1).float()
            asked = torch.cat([ids[:, : recipe.masked], absent], dim=1)
            from_cls = self.heads.from_cls(out[:, 0], self.model.encoder(asked)).float()
            mapped = self.heads.to_teacher(out[:, 0]).float()
        target = values[:, : recipe.masked] / (recipe.n_bins - 1)
        wanted = torch.cat([target, torch.zeros_like(absent, dtype=target.dtype)], dim=1)
        scored = torch.cat([hidden, absent != pad], dim=1)
        sizes = [len(g["ids"]) for g in groups]
        parts = zip(
            out[:, 0].float().split(sizes), mapped.split(sizes),
            [g["target"] for g in groups], strict=True,
        )  # fmt: skip
        distil = torch.stack(
            [torch.stack(distil_losses(*part, recipe.temperature)) for part in parts]
        )
        upstream = [F.mse_loss(own[hidden], target[hidden])]
        upstream.append(F.mse_loss(from_cls[scored], wanted[scored]))
        return torch.stack([*upstream, *distil.mean(dim=0)])

    def total(self, losses: Tensor) -> Tensor:
        """The weighted sum."""
        weights = [self.recipe.weights[name] for name in LOSSES]
        return (losses * torch.tensor(weights, device=losses.device)).sum()

    def advance(self) -> None:
        """One optimiser step; the learning rate warms up and falls along a cosine."""
        recipe, data, started = self.recipe, self.data, time.process_time()
        share = np.sqrt([len(rows) for rows in data.train])
        chosen = self.rng.choice(len(data.files), recipe.groups, p=share / share.sum())
        groups = [self.group(f, self._some(data.train[f]), self.rng) for f in chosen]
        warm = min(1.0, (self.step + 1) / max(1, min(150, recipe.steps // 10)))
        fall = 0.5 * (1 + math.cos(math.pi * self.step / recipe.steps))
        for part in self.optimiser.param_groups:
            part["lr"] = recipe.learning_rate * warm * max(fall, 0.01)
        self.optimiser.zero_grad()
        self.total(self.losses(groups)).backward()
        for part in self.optimiser.param_groups:
            torch.nn.utils.clip_grad_norm_(part["params"], 1.0)
        self.optimiser.step()
        self.step += 1
        self.cpu_seconds += time.process_time() - started

    def _some(self, rows: np.ndarray) -> np.ndarray:
        # none twice: a cell would be its own wrong answer in the contrast
        return self.rng.choice(rows, min(self.recipe.cells, len(rows)), replace=False)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Losses on the held-out cells, the same views each time."""
        rng, parts = np.random.default_rng(1), []
        for file, rows in enumerate(self.data.held):
            if len(rows) >= 4:
                parts.append(self.losses([self.group(file, rows, rng)]))
        means = torch.stack(parts).mean(dim=0)
        named = {name: float(v) for name, v in zip(LOSSES, means, strict=True)}
        named["total"] = float(self.total(means))
        return {"step": self.step, "cpu_minutes": round(self.cpu_seconds / 60, 2)} | {
            name: round(value, 5) for name, value in named.items()
        }

    def fingerprint(self) -> list[list]:
        """Which cells are trained on: file, cells, and the sum of their expression."""
        pairs = zip(self.data.files, self.data.train, strict=True)
        return [[f.name, len(r), float(f.expression[r].sum(dtype=np.float64))] for f, r in pairs]

    def save(self, path: Path) -> None:
        """The whole state, under a temporary name first: a kill leaves the old one whole."""
        state = {
            "recipe": asdict(self.recipe), "data": self.fingerprint(),
            "model": self.model.state_dict(),
            "heads": self.heads.state_dict(), "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.bit_generator.state, "step": self.step,
            "cpu_seconds": self.cpu_seconds, "history": self.history,
        }  # fmt: skip
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        os.replace(temporary, path)

    def restore(self, path: Path) -> None:
        """Put a saved state back; refused where the recipe differs."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            raise SystemExit(f"{path} was made with other settings; remove it to start anew.")
        if state["data"] != self.fingerprint():
            raise SystemExit(f"{path} was made with other cells; remove it to start anew.")
        self.model.load_state_dict(state["model"])
        self.heads.load_state_dict(state["heads"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = state["rng"]
        self.step, self.cpu_seconds = state["step"], state["cpu_seconds"]
        self.history = state["history"]
