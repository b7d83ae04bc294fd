"""A reference model: fitted to several studies, made sure of on studies left out of the fit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.sparse.linalg import LinearOperator, svds
from scipy.special import log_softmax

from scmpt_core.device import Device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import Encoder, PCAEncoder, get_spec, load_encoder
from scmpt_core.fusion import (
    ScMPT,
    Sureness,
    get_head,
    predict_logits,
    side_by_side,
)
from scmpt_core.fusion.fits import Data, Fit
from scmpt_core.fusion.heads import Head
from scmpt_core.fusion.search import QUICK
from scmpt_core.metrics import score
from scmpt_core.progress import silent
from scmpt_core.unknown import DETECTORS, Context, FittedDetector, UnknownDetector
from scmpt_core.unknown.components import component_scores
from scmpt_core.unknown.neighbours import stratified_sample
from scmpt_core.unknown.tails import leave_one_out
from scripts.reference_data import Study, Tissue, known_classes, sampled, trimmed
from scripts.reference_views import View, as_measured, random_views, stacked

ENCODERS = ("scgpt-mini", "pca")
# One logistic regression an encoder. The dense network of the mixture learns a study by heart:
# from xin2016 to baron2016 it had 0.76 macro F1 where this one had 0.89.
HEAD = "stacking"
COMPONENTS = get_spec("pca").info.dimension
ABSENT = 10.0  # how far below the least likely class one is put that a fit did not know
HELD = 5  # a single study is held out by fifths
KNOWN = 2_000  # cells that the p-values of strangeness are told from
# Of the detectors one compares whole transcriptomes; here most training cells have a panel's.
NO_PROFILE = {"profile": "training cells that all measure the same genes"}


@dataclass(frozen=True)
class Recipe:
    """How a reference model is made.

    Parameters
    ----------
    per_type
        Cells of each type that a study gives, at most.
    least
        Share of a study's cells that must express a gene for it to be read.
    views, part
        Random gene panels a study, and the share of its cells that each holds.
    """

    seed: int = 0
    per_type: int = 300
    least: float = 0.01
    views: int = 8
    part: float = 0.5


@dataclass(frozen=True, eq=False)
class Machine:
    """Where it is made."""

    device: Device
    store: EmbeddingStore


@dataclass(frozen=True, eq=False)
class Core:
    """What is fitted to training cells.

    Parameters
    ----------
    detectors, lacking
        Of strange cells, by name, and what those lack that could not be fitted.
    """

    encoders: dict[str, Encoder]
    head: Head
    fit: Fit
    classes: tuple[str, ...]
    genes: np.ndarray
    windows: dict[str, np.ndarray]  # encoder → (studies, genes)
    detectors: dict[str, FittedDetector]
    lacking: dict[str, str]
    rows: int  # cells and views of cells


@dataclass(frozen=True, eq=False)
class Judged:
    """Cells that a core had not seen.

    Parameters
    ----------
    logits
        Of all classes of the tissue, (cells, classes).
    codes
        Their true class, (cells,).
    strangeness
        (cells, detectors).
    """

    logits: np.ndarray
    codes: np.ndarray
    strangeness: np.ndarray


def fit_core(studies: list[Study], tissue: Tissue, recipe: Recipe, machine: Machine) -> Core:
    """Encoders, head and detectors on every study as measured and under random panels."""
    classes = known_classes(studies, tissue.classes)
    plain = [as_measured(_of_classes(study, classes)) for study in studies]
    every = list(plain)
    for view in plain:
        every += random_views(view.study, recipe.views, recipe.part, recipe.seed)
    genes = np.unique(np.concatenate([view.cells.genes for view in plain]))
    encoders = {name: load_encoder(name, machine.device) for name in ENCODERS}
    pca = encoders["pca"] = shared_components(plain, genes)
    vectors = read(every, encoders, machine.store)
    codes = np.concatenate([_codes(view.labels, classes) for view in every])
    x = side_by_side(vectors, tuple(encoders))
    data = Data(
        (x, codes), (x[:0], codes[:0]), len(classes),
        tuple(v.shape[1] for v in vectors.values()),
        (np.concatenate([v.groups for v in every]), np.array([], dtype=str)),
    )  # fmt: skip
    fit = get_head(HEAD).fit(data, QUICK, recipe.seed, machine.device, silent)
    detectors, lacking = fit_detectors(every, pca, vectors, codes, recipe.seed)
    return Core(
        encoders, fit.head, fit, classes, genes,
        {name: study_windows(encoder, plain, genes) for name, encoder in encoders.items()},
        detectors, lacking, len(x),
    )  # fmt: skip


def shared_components(plain: list[View], genes: np.ndarray) -> PCAEncoder:
    """50 components of log expression around each study's own mean.

    A gene that a study does not measure adds nothing to its cells, and differences between
    studies, which would otherwise fill the first components, are none of the axes.
    """
    x = stacked(plain, genes).expression.astype(np.float64)  # (cells, genes)
    study = np.repeat(np.arange(len(plain)), [len(view.rows) for view in plain])
    means = np.stack([np.asarray(x[study == i].mean(axis=0)).ravel() for i in range(len(plain))])
    measured = np.stack([np.isin(genes, view.cells.genes) for view in plain])
    cells = measured * np.bincount(study)[:, None]  # of each study, on the genes it measures
    count = min(COMPONENTS, len(study) - len(plain), len(genes) - 1)
    centred = LinearOperator(
        x.shape, dtype=np.float64,
        matvec=lambda v: x @ v.ravel() - (means @ v.ravel())[study],
        rmatvec=lambda u: x.T @ u.ravel() - means.T @ np.bincount(study, u.ravel()),
    )  # fmt: skip
    start = np.random.default_rng(0).normal(size=min(x.shape))
    _, spread, axes = svds(centred, count, v0=start)
    order = np.argsort(-spread)
    padding = COMPONENTS - count
    variance = spread[order] ** 2 / max(len(study) - len(plain), 1)
    state = {
        "mean": ((means * cells).sum(axis=0) / cells.sum(axis=0)).astype(np.float32),
        "components": np.pad(axes[order], ((0, padding), (0, 0))).astype(np.float32),
        "variance": np.pad(variance, (0, padding)).astype(np.float32),
    }
    return PCAEncoder(get_spec("pca").info).restore(genes, state)


def study_windows(encoder: Encoder, plain: list[View], genes: np.ndarray) -> np.ndarray:
    """What ``encoder`` reads of each study, (studies, genes): each on the genes it measures."""
    out = np.zeros((len(plain), len(genes)))
    for row, view in zip(out, plain, strict=True):
        weight = encoder.window(stacked([view], genes)) * np.isin(genes, view.cells.genes)
        row[:] = weight / weight.sum()
    return out


def read(
    views: list[View], encoders: dict[str, Encoder], store: EmbeddingStore
) -> dict[str, np.ndarray]:
    """Encoder → embeddings of the views' cells one after the other, (cells, dimension).

    Frozen encoders' go through the store: the fits without one study need them again.
    """
    return {
        name: np.concatenate(
            [
                encoder.encode(view.cells, silent)
                if encoder.info.fitted
                else store.get(encoder, view.cells)
                for view in views
            ]
        )
        for name, encoder in encoders.items()
    }


def fit_detectors(
    views: list[View], pca: PCAEncoder, vectors: dict[str, np.ndarray], codes: np.ndarray, seed: int
) -> tuple[dict[str, FittedDetector], dict[str, str]]:
    """Those that can be fitted to cells of several panels, and what the others lack."""
    context = _context(views, pca, vectors)
    usable = [info for info in DETECTORS if info.name not in NO_PROFILE]
    lacks = {info.name: info.lacks(context, codes) for info in usable}
    fitted = {i.name: i.fit(context, codes, seed) for i in usable if not lacks[i.name]}
    return fitted, NO_PROFILE | {name: what for name, what in lacks.items() if what}


def _context(views: list[View], pca: PCAEncoder, vectors: dict[str, np.ndarray]) -> Context:
    cells = stacked(views, pca.genes)
    return Context(cells, np.concatenate([component_scores(pca, v.cells) for v in views]), vectors)


def judge(core: Core, views: list[View], tissue: Tissue, machine: Machine) -> Judged:
    """What ``core`` says of cells of the classes that it knows."""
    genes, known = set(core.genes), []
    for view in views:
        read_by = View(view.study, view.cells.restrict(genes), view.rows)
        rows = np.isin(view.labels, core.classes) & (np.diff(read_by.cells.expression.indptr) > 0)
        at = np.flatnonzero(rows)
        known.append(View(view.study, read_by.cells.take(at), view.rows[at]))
    vectors = read(known, core.encoders, machine.store)
    narrow = predict_logits(core.head, side_by_side(vectors, ENCODERS), machine.device)
    context = _context(known, core.encoders["pca"], vectors)
    strange = [detector.score(context) for detector in core.detectors.values()]
    codes = np.concatenate([_codes(view.labels, tuple(tissue.classes)) for view in known])
    return Judged(widened(narrow, core.classes, tissue), codes, np.stack(strange, axis=1))


def widened(logits: np.ndarray, classes: tuple[str, ...], tissue: Tissue) -> np.ndarray:
    """Logits of ``classes`` among those of all, (cells, classes of the tissue)."""
    logits = log_softmax(logits, axis=1)
    out = np.repeat(logits.min(axis=1, keepdims=True) - ABSENT, len(tissue.classes), axis=1)
    out[:, _codes(np.array(classes), tuple(tissue.classes))] = logits
    return out


def left_out(
    studies: list[Study], tissue: Tissue, recipe: Recipe, machine: Machine
) -> Iterator[Judged]:
    """Every study in turn, judged by a core of the others.

    A single study is judged by fifths of its cells, as measured and under other random panels.
    """
    if len(studies) > 1:
        for i, held in enumerate(studies):
            rest = [study for j, study in enumerate(studies) if j != i]
            core = fit_core(rest, tissue, recipe, machine)
            yield judge(core, [as_measured(held)], tissue, machine)
        return
    fold = np.random.default_rng(recipe.seed).permutation(len(studies[0])) % HELD
    rest, held = (
        studies[0].take(np.flatnonzero(fold > 0)),
        studies[0].take(np.flatnonzero(fold == 0)),
    )
    core = fit_core([rest], tissue, recipe, machine)
    others = random_views(held, recipe.views, recipe.part, recipe.seed + 1)
    yield judge(core, [as_measured(held), *others], tissue, machine)


def build(studies: list[Study], tissue: Tissue, recipe: Recipe, machine: Machine) -> ScMPT:
    """The model of these studies.

    Temperature, thresholds, label sets and what is strange are told from cells of studies that a
    model of the others judged, as it will judge a user's: they hold differences between studies.
    """
    start = time.perf_counter()
    studies = [trimmed(sampled(s, recipe.per_type, recipe.seed), recipe.least) for s in studies]
    core = fit_core(studies, tissue, recipe, machine)
    parts = list(left_out(studies, tissue, recipe, machine))
    places = _codes(np.array(core.classes), tuple(tissue.classes))
    logits = np.concatenate([part.logits for part in parts])[:, places]
    codes = np.searchsorted(places, np.concatenate([part.codes for part in parts]))
    strange = np.concatenate([part.strangeness for part in parts])
    scores = score(codes, logits.argmax(axis=1), core.classes)
    record = {
        "dataset": ", ".join(study.name for study in studies),
        "label": "cell type, harmonised",
        "palette": list(core.classes),
        "group": None,
        "normalisation": "each study as in its file; views also rescaled",
        "split": {
            "description": "each study was judged by a model of the others"
            if len(studies) > 1
            else "a fifth of the cells, judged by a model of the rest",
            "train": sum(map(len, studies)), "validation": 0, "calibration": len(codes),
            "test": len(codes),
        },
        "seed": recipe.seed,
        "recipe": asdict(recipe) | {"training_rows": core.rows},
        "hyperparameters": core.fit.hyperparameters,
        "test": scores.summary,
        "per_class": scores.per_class,
        "ontology": {name: tissue.classes[name] for name in core.classes},
        "seconds": round(time.perf_counter() - start, 1),
        "device": machine.device.reason,
    }  # fmt: skip
    return ScMPT(
        encoders=core.encoders, head=core.head, head_name=HEAD,
        classes=core.classes, genes=core.genes, windows=core.windows,
        sureness=Sureness.fit(logits, codes), unknown=usual(core, strange, codes, recipe.seed),
        record=record,
    )  # fmt: skip


def usual(core: Core, strange: np.ndarray, codes: np.ndarray, seed: int) -> UnknownDetector:
    """The detectors of ``core`` with the scores, (cells, detectors), of cells of known types."""
    known = strange[stratified_sample(codes, KNOWN, seed)]
    statistics = -np.log([leave_one_out(scores) for scores in known.T]).sum(axis=0)
    return UnknownDetector(
        core.encoders["pca"], core.detectors, known, statistics, core.lacking,
        f"{len(known):,} cells of studies left out", given=True,
    )  # fmt: skip


def _of_classes(study: Study, classes: tuple[str, ...]) -> Study:
    return study.take(np.flatnonzero(np.isin(study.labels, classes)))


def _codes(labels: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    place = {name: i for i, name in enumerate(classes)}
    return np.array([place[label] for label in labels], dtype=np.int64)


def with_record(model: ScMPT, **entries: object) -> ScMPT:
    """The same model, its record longer."""
    return replace(model, record=model.record | entries)
