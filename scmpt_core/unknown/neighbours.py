"""Distance from the nearest training cells, in the space of the cell encoders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from scmpt_core.encoders import ENCODERS
from scmpt_core.unknown.base import Context, DetectorInfo, State

NEIGHBOURS = 5
MOST = 2_000  # training cells kept


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Training cells kept, as the encoders see them.

    Parameters
    ----------
    cells
        Encoder → embeddings, (cells kept, dimension) float16, less ``centres`` and divided by
        ``scales``.
    centres, scales
        Encoder → mean of the training cells, (dimension,), and their overall standard deviation.
    """

    cells: dict[str, np.ndarray]
    centres: dict[str, np.ndarray]
    scales: dict[str, float]

    def score(self, context: Context) -> np.ndarray:
        """Mean Euclidean distance from the 5 nearest, encoders side by side, (cells,)."""
        lacking = [name for name in self.cells if name not in context.vectors]
        if lacking:
            raise ValueError(f"no embeddings by {', '.join(lacking)}")
        kept = np.concatenate([x.astype(np.float32) for x in self.cells.values()], axis=1)
        new = [
            (context.vectors[name] - self.centres[name]) / self.scales[name] for name in self.cells
        ]
        model = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(kept)), algorithm="brute")
        found = model.fit(kept).kneighbors(np.concatenate(new, axis=1).astype(np.float32))
        return found[0].mean(axis=1).astype(np.float64)

    def state(self) -> State:
        """Cells, centre and scale of each encoder."""
        out: State = {}
        for name, cells in self.cells.items():
            out[f"{name}.cells"], out[f"{name}.centre"] = cells, self.centres[name]
            out[f"{name}.scale"] = np.array([self.scales[name]])
        return out


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The encoders that read cells as such; where there is none, those that read text."""
    modality = {spec.info.name: spec.info.modality for spec in ENCODERS}
    kinds = {name: modality.get(name) for name in names}
    of = {kind: tuple(n for n, k in kinds.items() if k == kind) for kind in ("genes", "text")}
    return of["genes"] or of["text"]


def _lacks(train: Context, _codes: np.ndarray) -> str:
    return "" if chosen(train.vectors) else "an encoder that reads genes or text"


def fit_neighbours(train: Context, codes: np.ndarray, seed: int) -> Neighbours:
    """Keep at most 2,000 cells, the same share of each type."""
    kept = stratified_sample(codes, MOST, seed)
    names = chosen(train.vectors)
    centres = {name: train.vectors[name].mean(axis=0) for name in names}
    scales = {name: max(float((train.vectors[name] - centres[name]).std()), 1e-6) for name in names}
    cells = {
        name: ((train.vectors[name][kept] - centres[name]) / scales[name]).astype(np.float16)
        for name in names
    }
    return Neighbours(cells, centres, scales)


def stratified_sample(codes: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most about ``most`` positions, rising: the same share of each code, one at least."""
    if len(codes) <= most:
        return np.arange(len(codes))
    rng, out = np.random.default_rng(seed), []
    for code in np.unique(codes):
        members = rng.permutation(np.flatnonzero(codes == code))
        out.append(members[: max(1, int(most * len(members) / len(codes)))])
    return np.sort(np.concatenate(out))


def _restore(state: State, _genes: np.ndarray) -> Neighbours:
    names = [key.removesuffix(".scale") for key in state if key.endswith(".scale")]
    return Neighbours(
        {name: state[f"{name}.cells"] for name in names},
        {name: state[f"{name}.centre"] for name in names},
        {name: float(state[f"{name}.scale"][0]) for name in names},
    )


NEIGHBOURS_INFO = DetectorInfo(
    name="neighbours",
    summary="has no training cell near it, as the encoder sees cells",
    reference="Sun et al. 2022, arXiv:2204.06507",
    lacks=_lacks,
    fit=fit_neighbours,
    restore=_restore,
)
