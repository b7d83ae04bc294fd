"""`UnknownDetector`: how unusual a cell would be if it were of a type seen in training."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.errors import ModelError
from scmpt_core.unknown.base import Context, FittedDetector, State
from scmpt_core.unknown.components import component_scores
from scmpt_core.unknown.fitting import Sample, scores_of
from scmpt_core.unknown.neighbours import stratified_sample
from scmpt_core.unknown.registry import get_detector
from scmpt_core.unknown.tails import Tail, leave_one_out

FEW = 20  # calibration cells; with fewer, training cells are judged by fits without them
MOST = 2_000  # cells that the p-values are told from


@dataclass(frozen=True, eq=False)
class UnknownDetector:
    """Several detectors, combined to one p-value.

    Each detector's score becomes a p-value among cells of known types that it was not fitted to;
    Fisher's statistic, −Σ log p, combines them. The detectors depend on each other, so the
    statistic has no χ² distribution: its own p-value is told from the same known cells, each
    against all others. Where new cells of known types are like those (same study, same
    processing), p-values are uniform: calling those up to 0.05 unknown calls 5 % of the known
    cells unknown. Below about 1 / ``len(known)`` they are extrapolated.

    Parameters
    ----------
    pca
        Principal components of the training cells.
    detectors
        Name → fitted.
    known
        Scores of the known cells, (cells, detectors).
    statistics
        Fisher's statistic of each known cell among all the others, (cells,).
    left_out
        Name of a detector that could not be fitted → what it lacks.
    judged_on
        Which known cells, in words.
    given
        Whether ``pca`` came from outside and is kept there.
    """

    pca: PCAEncoder
    detectors: dict[str, FittedDetector]
    known: np.ndarray
    statistics: np.ndarray
    left_out: dict[str, str] = field(default_factory=dict)
    judged_on: str = ""
    given: bool = False

    @classmethod
    def fit(
        cls,
        cells: Cells,
        codes: np.ndarray,
        train: np.ndarray,
        calibration: np.ndarray,
        vectors: dict[str, np.ndarray],
        seed: int,
        pca: PCAEncoder | None = None,
    ) -> UnknownDetector:
        """Fit to the training cells, tell from the calibration cells what is usual.

        With fewer than 20 calibration cells the training cells serve too: each is judged by a
        fit to nine tenths of them, without its own. Such a fit has seen less, so that known cells
        look a little stranger to it, and p-values of new cells are higher for that.

        Parameters
        ----------
        codes
            Class of each cell, (cells,); those of training cells are read.
        train, calibration
            Positions in ``cells``, disjoint.
        vectors
            Encoder → embeddings of all ``cells``, (cells, dimension). A detector that needs an
            encoder which is not among them is left out, and ``left_out`` says so.
        pca
            Fitted to the training cells already; by default it is fitted here.

        Raises
        ------
        ModelError
            There are too few cells to tell what is usual.
        """
        sample = Sample(cells, codes, vectors, seed)
        own = PCAEncoder(get_spec("pca").info).fit(cells.take(train)) if pca is None else pca
        detectors, left_out = sample.fit(train, own)
        chosen = calibration[stratified_sample(codes[calibration], MOST, seed)]
        known = scores_of(detectors, sample.context(chosen, own))
        judged_on = f"{len(known):,} calibration cells"
        if len(known) < FEW:
            held = list(sample.out_of_fold(train, tuple(detectors)))
            known = np.concatenate([known, *held])
            judged_on += f" and {len(known) - len(chosen):,} training cells, each held out"
        if len(known) < 3:
            raise ModelError(
                f"{len(known)} cells are too few to tell what is usual.", "Give at least 3."
            )
        p = [leave_one_out(scores) for scores in known.T]
        statistics = -np.log(p).sum(axis=0)
        return cls(own, detectors, known, statistics, left_out, judged_on, pca is not None)

    def novelty(self, cells: Cells, vectors: dict[str, np.ndarray]) -> np.ndarray:
        """p-value of being of a known type, (cells,), in (0, 1]; small is strange.

        Parameters
        ----------
        cells
            Genes may be others, in another order: they are found by symbol, and only those that
            training measured too are used.
        vectors
            Encoder → embeddings, (cells, dimension).
        """
        return Tail.fit(self.statistics).p(self.statistic(cells, vectors))

    def statistic(self, cells: Cells, vectors: dict[str, np.ndarray]) -> np.ndarray:
        """Fisher's −Σ log p, (cells,): higher is stranger."""
        return -np.log(list(self.parts(cells, vectors).values())).sum(axis=0)

    def parts(self, cells: Cells, vectors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Detector → p-value of each cell by it alone, (cells,)."""
        context = Context(cells, component_scores(self.pca, cells), vectors)
        scores = scores_of(self.detectors, context)
        pairs = zip(self.known.T, scores.T, strict=True)
        p = (Tail.fit(known).p(new) for known, new in pairs)
        return dict(zip(self.detectors, p, strict=True))

    def meta(self) -> dict:
        """All but the arrays, as JSON."""
        return {
            "detectors": list(self.detectors),
            "left_out": self.left_out,
            "judged_on": self.judged_on,
            "pca": "given" if self.given else "own",
        }

    def state(self) -> State:
        """All arrays, contiguous; without the symbols of the training cells, which a model keeps.

        The principal components are among them unless they were given.
        """
        out = {"known": self.known, "statistics": self.statistics}
        for name, detector in self.detectors.items():
            out |= {f"{name}.{key}": value for key, value in detector.state().items()}
        if not self.given:
            out |= {f"pca.{key}": value for key, value in self.pca.state().items()}
        return {key: np.ascontiguousarray(value) for key, value in out.items()}

    @classmethod
    def restore(
        cls, meta: dict, state: State, genes: np.ndarray, pca: PCAEncoder | None = None
    ) -> UnknownDetector:
        """Back from :meth:`meta`, :meth:`state` and the symbols of the training cells.

        Raises
        ------
        KeyError
            An array or a detector is missing.
        ValueError
            The principal components were given when fitted, but are not now.
        """
        given = meta["pca"] == "given"
        if given and pca is None:
            raise ValueError("the detector was fitted with the model's PCA, which is missing")
        if not given:
            pca = PCAEncoder(get_spec("pca").info).restore(genes, _under(state, "pca"))
        detectors = {
            name: get_detector(name).restore(_under(state, name), genes)
            for name in meta["detectors"]
        }
        known, statistics = state["known"], state["statistics"]
        return cls(pca, detectors, known, statistics, meta["left_out"], meta["judged_on"], given)


def _under(state: State, name: str) -> State:
    return {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
