"""What can be said of a dataset before anything is trained."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, dataclass

import numpy as np

from scmpt_core.cells import Cells
from scmpt_core.encoders import Encoder, get_spec
from scmpt_core.housekeeping import is_housekeeping


@dataclass(frozen=True)
class Window:
    """What a text encoder reads of the cells, as shares of its window.

    Parameters
    ----------
    housekeeping
        Share of housekeeping genes, 0…1.
    markers
        Share of genes that are a known marker of some type, 0…1.
    """

    encoder: str
    housekeeping: float
    markers: float


@dataclass(frozen=True)
class Properties:
    """Of the labelled cells.

    Parameters
    ----------
    evenness
        Entropy of the classes over that of equal classes, 0…1; 1: all have as many cells.
    smallest
        The class with the fewest cells, and how many.
    genes, genes_a_cell
        Measured, and the median of those that a cell expresses.
    depth
        Median counts a cell; ``None`` where counts are not known.
    coverage
        Encoder with a vocabulary → share of the measured genes that it knows, 0…1.
    windows
        One a text encoder.
    """

    cells: int
    classes: int
    evenness: float
    smallest: tuple[str, int]
    genes: int
    genes_a_cell: float
    depth: float | None
    coverage: dict[str, float]
    windows: tuple[Window, ...]

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)

    def lines(self) -> list[tuple[str, str]]:
        """What, and its value in words."""
        name, fewest = self.smallest
        depth = "not known: the file holds no counts" if self.depth is None else f"{self.depth:,g}"
        out = [
            ("labelled cells", f"{self.cells:,}"),
            ("classes", f"{self.classes}"),
            ("evenness of the classes (1: equal)", f"{self.evenness:.2f}"),
            ("smallest class", f"{name}: {fewest:,} cells"),
            ("genes measured", f"{self.genes:,}"),
            ("genes expressed a cell, median", f"{self.genes_a_cell:,g}"),
            ("counts a cell, median", depth),
        ]
        out += [(f"genes that {n} knows", f"{share:.0%}") for n, share in self.coverage.items()]
        for w in self.windows:
            out.append(
                (f"housekeeping genes in the window of {w.encoder}", f"{w.housekeeping:.0%}")
            )
            out.append((f"known markers in the window of {w.encoder}", f"{w.markers:.0%}"))
        return out


def properties(
    cells: Cells, codes: np.ndarray, classes: tuple[str, ...], encoders: dict[str, Encoder],
    markers: Set[str], sample: np.ndarray,
) -> Properties:  # fmt: skip
    """Look at the labelled cells.

    Parameters
    ----------
    codes
        Class of each cell, (cells,); −1 is not labelled.
    markers
        Symbols of genes that are known to mark some type.
    sample
        Positions of the cells whose windows are read.

    Raises
    ------
    ValueError
        No cell is labelled.
    """
    labelled = np.flatnonzero(codes >= 0)
    sizes = np.bincount(codes[labelled], minlength=len(classes))
    share = sizes[sizes > 0] / sizes.sum()
    if len(share) < 2:
        raise ValueError(f"labelled cells of {len(share)} classes")
    fewest = int(sizes.argmin())
    depth = None
    if cells.counts is not None:
        depth = float(np.median(np.asarray(cells.counts[labelled].sum(axis=1)).ravel()))
    seen = cells.take(sample)
    return Properties(
        cells=len(labelled),
        classes=len(classes),
        evenness=float(-(share * np.log(share)).sum() / np.log(len(classes))),
        smallest=(classes[fewest], int(sizes[fewest])),
        genes=len(cells.genes),
        genes_a_cell=float(np.median(np.diff(cells.expression.indptr)[labelled])),
        depth=depth,
        coverage=_coverage(cells.genes, list(encoders)),
        windows=tuple(
            _window(name, e.window(seen), cells.genes, markers)
            for name, e in encoders.items()
            if e.info.modality == "text"
        ),
    )


def _coverage(genes: np.ndarray, encoders: list[str]) -> dict[str, float]:
    vocabularies = {name: get_spec(name).vocabulary() for name in encoders}
    return {
        name: float(np.mean([gene in known for gene in genes]))
        for name, known in vocabularies.items()
        if known is not None
    }


def _window(name: str, share: np.ndarray, genes: np.ndarray, markers: Set[str]) -> Window:
    marks = np.array([str(gene) in markers for gene in genes], dtype=bool)
    return Window(name, float(share[is_housekeeping(genes)].sum()), float(share[marks].sum()))
