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
    """Every way by itself; nothing is drawn, so ``seed`` is not used.

    A logit that is a weighted sum of other ways' is not integrated again: its scores are the sum
    of theirs, as long as they miss no more than is allowed.
    """
    found: dict[str, CellScores] = {}
    for way in sorted(subject.ways, key=lambda way: way.shares is not None):
        scores = _summed(found, way.shares)
        if scores is None or scores.quality["delta"] > options.tolerance:
            scores = _explain(subject, way, target, options)
        found[way.name] = scores
    return {way.name: found[way.name] for way in subject.ways}


def _summed(found: dict[str, CellScores], shares: dict[str, float] | None) -> CellScores | None:
    """The sum of the ways that ``shares`` names; ``None`` where one was not explained."""
    if shares is None or not set(shares) <= set(found):
        return None
    terms = [(share, found[name]) for name, share in shares.items()]
    scores = np.sum([share * each.scores for share, each in terms], axis=0)
    difference = sum(share * each.quality["difference"] for share, each in terms)
    missed = abs(difference - float(scores.sum())) / max(abs(difference), TINY)
    steps = max(each.quality["steps"] for _, each in terms)
    return CellScores(scores, {"delta": missed, "steps": steps, "difference": difference})


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
        if share <= options.tolerance or abs(delta) < TINY or steps == options.most_steps:
            break
        steps = min(2 * steps, options.most_steps)
    each = [_per_gene(path, s, subject) for path, s in zip(paths, scores, strict=True)]
    quality = {"delta": share, "steps": float(steps), "difference": difference}
    return CellScores(np.sum(each, axis=0), quality)


def _integrate(
    logit, ends: tuple[Tensor, ...], starts: tuple[Tensor, ...], steps: int, subject: Subject
) -> tuple[tuple[Tensor, ...], float]:
    places = sum(end.shape[1] for end in ends if end.dim() > 1)
    batch = max(TOKENS[subject.device.name] // max(places, 1), 1)

    def heard(*inputs: Tensor) -> Tensor:  # once a batch, so that a stop is heard
        subject.progress(0.0, f"{steps} steps")
        return logit(*inputs)

    scores, delta = IntegratedGradients(heard).attribute(
        ends, starts, n_steps=steps, internal_batch_size=batch, return_convergence_delta=True
    )
    return scores, float(delta)


def _per_gene(path: InputPath, scores: Tensor, subject: Subject) -> np.ndarray:
    return path.per_gene(scores.detach(), subject.columns)


INTEGRATED_GRADIENTS = MethodInfo(
    "ig", "Integrated gradients",
    "gradients along the way from a cell without genes to the cell; they share out the whole "
    "difference of the logit",
    "Sundararajan et al. 2017, arXiv 1703.01365; captum", False, True, explain,
)  # fmt: skip
