"""The one result of all attribution methods: a score for each gene of each cell explained."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from scmpt_core.errors import check_format, readable

FORMAT = 1


@dataclass(frozen=True, order=True)
class Source:
    """Where scores come from.

    Parameters
    ----------
    method
        Name in ``METHODS``.
    way
        What was explained: the whole model, by its name, or one encoder's part of it.
    seed
        Of the method's draws; methods that draw nothing have only 0.
    """

    method: str
    way: str
    seed: int = 0


@dataclass(frozen=True, eq=False)
class TypeScores:
    """Scores of one type: mean over its cells, and their spread.

    Parameters
    ----------
    mean, spread
        (genes,); the spread is the standard deviation over cells, 0 with fewer than two. A gene
        that a cell does not express has the score 0 there.
    seen
        Whether the model could have read the gene in any of the cells, (genes,) bool.
    n
        Cells.
    """

    mean: np.ndarray
    spread: np.ndarray
    seen: np.ndarray
    n: int


@dataclass(frozen=True, eq=False)
class Attribution:
    """Scores of genes for the logit of each cell's type, before the temperature.

    Parameters
    ----------
    model, dataset
        Names, for people.
    classes, genes
        Of the model, (classes,); symbols shared by model and file, (genes,).
    ids, types
        Of the cells explained, (cells,): ids, and class codes whose logit was explained.
    known
        ``types`` are the file's labels; otherwise they are what the model predicts.
    predicted
        Way → predicted class codes, (cells,).
    reasons
        Why the whole model would call the cell Unknown, by the usual rule; ``""`` where it would
        not, (cells,).
    expression
        Log-normalised, (cells, genes).
    seen
        Way → genes read in each cell, (cells, genes), 1 where read.
    scores
        Source → (cells, genes).
    quality
        Source → name → a figure for each cell, (cells,): ``delta`` (share of the difference that
        integrated gradients miss), ``r2`` of LIME's fit, ``evaluations``, …
    settings
        All that the scores depend on, as JSON.
    """

    model: str
    dataset: str
    classes: tuple[str, ...]
    genes: np.ndarray
    ids: np.ndarray
    types: np.ndarray
    known: bool
    predicted: dict[str, np.ndarray]
    reasons: np.ndarray
    expression: sp.csr_matrix
    seen: dict[str, sp.csr_matrix]
    scores: dict[Source, sp.csr_matrix]
    quality: dict[Source, dict[str, np.ndarray]]
    settings: dict

    def __post_init__(self) -> None:
        shape = (len(self.ids), len(self.genes))
        for name, matrix in [("expression", self.expression), *self.seen.items(),
                             *self.scores.items()]:  # fmt: skip
            if matrix.shape != shape:
                raise ValueError(f"{name} is {matrix.shape}, cells × genes is {shape}")

    @property
    def unknown(self) -> np.ndarray:
        """Whether the whole model would call the cell Unknown, by the usual rule, (cells,) bool."""
        return self.reasons != ""

    @property
    def target(self) -> str | None:
        """The class whose logit is explained in every cell; ``None``: each cell's own type."""
        return self.settings.get("target")

    def explained(self, name: str) -> str:
        """The class whose logit is explained in the cells of a type."""
        return self.target or name

    @property
    def ways(self) -> tuple[str, ...]:
        """What was explained, the whole model first."""
        return tuple(self.seen)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods that ran, in order."""
        return tuple(dict.fromkeys(source.method for source in self.scores))

    @property
    def type_names(self) -> list[str]:
        """Types that have a cell here, in the model's order."""
        return [self.classes[code] for code in np.unique(self.types)]

    @property
    def explained_names(self) -> list[str]:
        """The classes whose logits are explained, in the model's order."""
        return self.type_names if self.target is None else [self.target]

    def sources(self, method: str, way: str) -> list[Source]:
        """One a seed."""
        return sorted(s for s in self.scores if (s.method, s.way) == (method, way))

    def cells_of(self, name: str, way: str, correct_only: bool = False) -> np.ndarray:
        """Positions of the cells explained of a type; ``correct_only``: that ``way`` got right."""
        code = self.classes.index(name)
        keep = self.types == code
        if correct_only:
            keep &= self.predicted[way] == code
        return np.flatnonzero(keep)

    def of_type(self, source: Source, name: str, correct_only: bool = False) -> TypeScores | None:
        """Scores of a type; ``None`` where no cell is left."""
        rows = self.cells_of(name, source.way, correct_only)
        return self._summary(self.scores[source][rows].toarray(), source.way, rows)

    def of_cells(self, method: str, way: str, rows: np.ndarray) -> np.ndarray:
        """Scores of cells, mean over the method's seeds, (rows, genes)."""
        each = [self.scores[source][rows].toarray() for source in self.sources(method, way)]
        return np.mean(each, axis=0, dtype=np.float64)

    def over_seeds(
        self, method: str, way: str, name: str, correct_only: bool = False
    ) -> TypeScores | None:
        """As :meth:`of_type`, of each cell's mean over the seeds."""
        rows = self.cells_of(name, way, correct_only)
        return self._summary(self.of_cells(method, way, rows), way, rows)

    def _summary(self, values: np.ndarray, way: str, rows: np.ndarray) -> TypeScores | None:
        if not len(rows):
            return None
        spread = values.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(self.genes))
        return TypeScores(values.mean(axis=0), spread, self.read_in(way, rows), len(rows))

    def read_in(self, way: str, rows: np.ndarray) -> np.ndarray:
        """Whether ``way`` reads the gene in any of the cells, (genes,) bool."""
        return np.asarray(self.seen[way][rows].sum(axis=0)).ravel() > 0


def save_attribution(result: Attribution, folder: Path) -> None:
    """Write into an existing folder: ``attribution.json`` and ``attribution.npz``."""
    arrays = {"genes": result.genes, "ids": result.ids, "types": result.types,
              "reasons": result.reasons}  # fmt: skip
    matrices = {"expression": result.expression}
    matrices |= {f"seen:{way}": matrix for way, matrix in result.seen.items()}
    matrices |= {f"score:{i}": matrix for i, matrix in enumerate(result.scores.values())}
    for name, matrix in matrices.items():
        for part in ("data", "indices", "indptr"):
            arrays[f"{name}:{part}"] = getattr(matrix, part)
    arrays |= {f"predicted:{way}": codes for way, codes in result.predicted.items()}
    for i, source in enumerate(result.scores):
        for name, values in result.quality[source].items():
            arrays[f"quality:{i}:{name}"] = values
    about = {
        "format": FORMAT,
        "model": result.model,
        "dataset": result.dataset,
        "classes": list(result.classes),
        "known": result.known,
        "ways": list(result.ways),
        "sources": [asdict(source) for source in result.scores],
        "quality": [list(result.quality[source]) for source in result.scores],
        "settings": result.settings,
    }
    np.savez_compressed(folder / "attribution.npz", **arrays)
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    (folder / "attribution.json").write_text(text, encoding="utf-8")


def load_attribution(folder: Path) -> Attribution:
    """Read what :func:`save_attribution` wrote.

    Raises
    ------
    ModelError
        A file is missing or damaged, or of another format.
    """
    with readable("The attribution"):
        about = json.loads((folder / "attribution.json").read_text(encoding="utf-8"))
        check_format("The attribution", about["format"], FORMAT)
        with np.load(folder / "attribution.npz", allow_pickle=False) as arrays:
            return _restored(about, arrays)


def _restored(about: dict, arrays: dict) -> Attribution:
    shape = (len(arrays["ids"]), len(arrays["genes"]))

    def matrix(name: str) -> sp.csr_matrix:
        parts = tuple(arrays[f"{name}:{part}"] for part in ("data", "indices", "indptr"))
        return sp.csr_matrix(parts, shape=shape)

    sources = [Source(**source) for source in about["sources"]]
    return Attribution(
        about["model"], about["dataset"], tuple(about["classes"]), arrays["genes"],
        arrays["ids"], arrays["types"], about["known"],
        {way: arrays[f"predicted:{way}"] for way in about["ways"]},
        # earlier versions did not ask
        arrays["reasons"] if "reasons" in arrays else np.full(shape[0], ""),
        matrix("expression"),
        {way: matrix(f"seen:{way}") for way in about["ways"]},
        {source: matrix(f"score:{i}") for i, source in enumerate(sources)},
        {
            source: {name: arrays[f"quality:{i}:{name}"] for name in names}
            for i, (source, names) in enumerate(zip(sources, about["quality"], strict=True))
        },
        about["settings"],
    )  # fmt: skip
