"""Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365) through encoder and head."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from scmpt_core.attribution.base import CellScores, MethodInfo, Options
from scmpt_core.attribution.inputs import InputPath
from scmpt_core.attribution.subject import Subject
from scmpt_core.fusion.ways import Way

TOKENS = {"cpu": 4_096, "cuda": 65_536, "mps": 8_192}  # a batch of points on the path
TINY = 1e-6  # a logit that does not change along the path has nothing to share out


def explain(subject: Subject, target: int, options: Options, seed: int) -> dict[str, CellScores]:
    """Every way by itself; nothing is drawn, so ``seed`` is not used."""
    return {way.name: _explain(subject, way, target, options) for way in subject.ways}


def _explain(subject: Subject, way: Way, target: int, options: Options) -> CellScores:
    paths = [subject.path(name, options.text_baseline, options.scgpt) for name in way.encoders]
    head = way.head.to(subject.device.name).eval().requires_grad_(False)

    def logit(*inputs: Tensor) -> Tensor:
        vectors = [path.embed(x) for path, x in zip(paths, inputs, strict=True)]
        return head(torch.cat(vectors, dim=1))[:, target]

    ends, starts = tuple(p.end for p in paths), tuple(p.start for p in paths)
    with torch.no_grad():
        difference = float(logit(*ends) - logit(*starts))
    steps = options.steps
    while True:
        scores, delta = _integrate(logit, ends, starts, steps, subject)
        share = abs(delta) / max(abs(difference), TINY)
        if share <= options.tolerance or abs(delta) < TINY or 2 * steps > options.most_steps:
            break
        steps *= 2
    each = [_per_gene(path, s, subject) for path, s in zip(paths, scores, strict=True)]
    quality = {"delta": share, "steps": float(steps), "difference": difference}
    return CellScores(np.sum(each, axis=0), quality)


def _integrate(
    logit, ends: tuple[Tensor, ...], starts: tuple[Tensor, ...], steps: int, subject: Subject
) -> tuple[tuple[Tensor, ...], float]:
    places = sum(end.shape[1] for end in ends if end.dim() > 1)
    batch = max(TOKENS[subject.device.name] // max(places, 1), 1)
    subject.progress(0.0, f"{steps} steps")
    scores, delta = IntegratedGradients(logit).attribute(
        ends, starts, n_steps=steps, internal_batch_size=batch, return_convergence_delta=True
    )
    return scores, float(delta)


def _per_gene(path: InputPath, scores: Tensor, subject: Subject) -> np.ndarray:
    return path.per_gene(scores.detach(), subject.columns)


INTEGRATED_GRADIENTS = MethodInfo(
    "ig", "Integrated gradients",
    "gradients along the way from a cell without genes to the cell; they share out the whole "
    "difference of the logit",
    "Sundararajan et al. 2017, arXiv 1703.01365; captum", False, explain,
)  # fmt: skip
