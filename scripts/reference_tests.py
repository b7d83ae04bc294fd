"""How a reference model does on a study that it has not seen, and on fewer genes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from scmpt_core.calibration import expected_calibration_error
from scmpt_core.data.ranked import highly_variable
from scmpt_core.evaluation.baselines import get_baseline
from scmpt_core.fusion import REASONS, UNKNOWN, Rule, ScMPT
from scmpt_core.fusion.overlap import overlaps
from scmpt_core.intervals import bootstrap
from scmpt_core.metrics import score
from scmpt_core.robustness import unlimited
from scripts.reference_data import Study, Tissue, sampled, trimmed
from scripts.reference_model import ENCODERS, Machine, Recipe, fit_core, judge
from scripts.reference_views import View, as_measured, rescaled, stacked

BASELINES = ("logistic", "celltypist")
SHARES = {"random": (0.7, 0.5, 0.3, 0.2, 0.1, 0.05), "variable": (0.3, 0.1, 0.05, 0.02)}
TOLERATED = 0.02  # of accuracy
PANEL_SEEDS = 3
PANEL_CELLS = 150  # a study


@dataclass(frozen=True)
class CrossTest:
    """A model of some studies on another one.

    Parameters
    ----------
    n
        Cells of types that the model knows; all scores are of these.
    accuracy, macro_f1
        With a label forced on every cell; the interval is of macro F1, 95 %, over cells.
    per_type
        Type → f1, recall and n.
    unknown
        Share of these cells that are called Unknown by the default rule.
    reasons
        Reason → share of these cells that are called Unknown for it.
    accuracy_named
        Of those that are not; ``None`` where there are none.
    covered
        Share of label sets, made for 90 %, that hold the true label.
    strangers
        Type that the model does not know → n and share that is called Unknown.
    overlap
        Encoder → share of its training window that the study measures.
    baselines
        Name → accuracy and macro F1 of one fitted to the same cells on the genes that all
        studies measure, the tested one too: it may see which these are.
    """

    train: tuple[str, ...]
    test: str
    n: int
    accuracy: float
    macro_f1: float
    interval: tuple[float, float]
    per_type: dict[str, dict[str, float]]
    unknown: float
    reasons: dict[str, float]
    accuracy_named: float | None
    ece: float
    covered: float
    strangers: dict[str, dict[str, float]]
    overlap: dict[str, float]
    shared_genes: int
    baselines: dict[str, dict[str, float]]

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)


def cross_test(
    model: ScMPT, train: list[Study], held: Study, recipe: Recipe, machine: Machine
) -> CrossTest:
    """Judge all cells of ``held``; overlap is reported, and no limit is put on it."""
    prediction = unlimited(model).predict(held.cells, machine.store, machine.device)
    decision = prediction.decide(Rule())
    known = np.isin(held.labels, model.classes)
    place = {name: i for i, name in enumerate(model.classes)}
    truth = np.array([place[label] for label in held.labels[known]])
    proba = prediction.proba[known]
    predicted, named = proba.argmax(axis=1), decision.labels[known] != UNKNOWN
    scores = score(truth, predicted, model.classes)
    found = bootstrap(
        [(np.arange(len(truth)), truth, predicted)], len(model.classes), "macro_f1",
        replicates=1000, unit="cells",
    )  # fmt: skip
    sets = prediction.sets(Rule().coverage)[known]
    strangers = {}
    for name in np.unique(held.labels[~known]):
        mine = decision.labels[held.labels == name]
        strangers[str(name)] = {"n": len(mine), "unknown": float((mine == UNKNOWN).mean())}
    return CrossTest(
        train=tuple(s.name for s in train), test=held.name, n=len(truth),
        accuracy=scores.accuracy, macro_f1=scores.macro_f1, interval=(found.low, found.high),
        per_type={
            name: {"f1": s["f1"], "recall": s["recall"], "n": s["support"]}
            for name, s in scores.per_class.items()
        },
        unknown=float((~named).mean()),
        reasons={r: float((decision.reasons[known] == r).mean()) for r in REASONS},
        accuracy_named=float((predicted == truth)[named].mean()) if named.any() else None,
        ece=expected_calibration_error(proba, truth),
        covered=float(sets[np.arange(len(truth)), truth].mean()),
        strangers=strangers, overlap=prediction.overlap, shared_genes=prediction.shared_genes,
        baselines=baselines(train, held, model.classes, recipe),
    )  # fmt: skip


def baselines(
    train: list[Study], held: Study, classes: tuple[str, ...], recipe: Recipe
) -> dict[str, dict[str, float]]:
    """Name → accuracy and macro F1, on the genes that all studies measure."""
    shared = set(held.cells.genes).intersection(*(s.cells.genes for s in train))
    genes = np.array(sorted(shared))

    def cut(studies: list[Study]) -> tuple:
        views = []
        for study in studies:
            some = study.take(np.flatnonzero(np.isin(study.labels, classes)))
            cells = rescaled(some.cells.restrict(shared), None)
            views.append(View(some, cells, np.arange(len(some))))
        codes = [classes.index(label) for view in views for label in view.labels]
        return stacked(views, genes), np.array(codes)

    cells, codes = cut([sampled(s, recipe.per_type, recipe.seed) for s in train])
    new, truth = cut([held])
    out = {}
    for name in BASELINES:
        fitted = get_baseline(name).fit(cells, codes, len(classes), recipe.seed)
        scores = score(truth, fitted.proba(new).argmax(axis=1), classes)
        out[name] = {"accuracy": scores.accuracy, "macro_f1": scores.macro_f1, "genes": len(genes)}
    return out


@dataclass(frozen=True)
class PanelPoint:
    """Held-out cells of one study on one gene panel."""

    study: str
    kind: str
    share: float
    overlap: dict[str, float]
    lost: float  # accuracy with all of the study's genes less accuracy here


def gene_loss(
    studies: list[Study], tissue: Tissue, recipe: Recipe, machine: Machine
) -> list[PanelPoint]:
    """Accuracy lost on falling panels, by cells of each study that the core has not seen."""
    studies = [trimmed(sampled(s, recipe.per_type, recipe.seed), recipe.least) for s in studies]
    rest, held = [], []
    for study in studies:
        fold = np.random.default_rng(recipe.seed).permutation(len(study)) % 5
        rest.append(study.take(np.flatnonzero(fold > 0)))
        held.append(study.take(np.flatnonzero(fold == 0)[:PANEL_CELLS]))
    core = fit_core(rest, tissue, recipe, machine)

    def right(view: View) -> np.ndarray:
        judged = judge(core, [view], tissue, machine)
        return (judged.logits.argmax(axis=1) == judged.codes).sum() / len(view.rows)

    out = []
    for study in held:
        full = right(as_measured(study))
        for kind, share, genes in panels(study, recipe.seed):
            view = View(study, study.cells.restrict(set(genes)), np.arange(len(study)))
            overlap = overlaps(core.windows, core.genes, genes)
            out.append(PanelPoint(study.name, kind, share, overlap, float(full - right(view))))
    return out


def panels(study: Study, seed: int) -> Iterator[tuple[str, float, np.ndarray]]:
    """Kind, share of the study's genes, and symbols."""
    genes = study.cells.genes
    for i in range(PANEL_SEEDS):
        order = np.random.default_rng(seed + i).permutation(len(genes))
        for share in SHARES["random"]:
            yield "random", share, genes[order[: round(share * len(genes))]]
    for share in SHARES["variable"]:
        yield "variable", share, genes[highly_variable(study.cells, round(share * len(genes)))]


def limits(points: list[PanelPoint]) -> dict[str, float]:
    """Encoder → overlap at which the monotone curve over all panels reaches what is tolerated."""
    out = {}
    for name in ENCODERS:
        x = np.array([1.0, *(p.overlap[name] for p in points)])
        y = np.array([0.0, *(p.lost for p in points)])
        model = IsotonicRegression(increasing=False, out_of_bounds="clip").fit(x, y)
        grid = np.linspace(0, 1, 1001)
        out[name] = float(grid[model.predict(grid) <= TOLERATED].min())
    return out
