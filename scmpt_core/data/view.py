"""How a file is to be read: the user's choices, kept beside the file and stated in results."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from scmpt_core.data.quality import Quality
from scmpt_core.errors import DataError


@dataclass(frozen=True)
class View:
    """Choices on a file; the file itself is never changed.

    Parameters
    ----------
    matrix
        ``"X"``, ``"raw"`` or a layer's name; ``None`` lets the reader choose.
    symbols
        Column of ``var`` with the gene names, or ``"var_names"``; ``None`` lets the reader choose.
    drop_empty
        Leave out cells without an expressed gene.
    min_counts, min_genes, max_genes, max_mito
        Thresholds per cell, inclusive: total, genes, genes, mitochondrial share (0–1).

    Raises
    ------
    DataError
        A threshold is out of its range.
    """

    matrix: str | None = None
    symbols: str | None = None
    drop_empty: bool = False
    min_counts: float = 0.0
    min_genes: int = 0
    max_genes: int | None = None
    max_mito: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.max_mito <= 1:
            raise DataError(f"max_mito is {self.max_mito}; it is a share.", "Give 0 to 1.")
        if min(self.min_counts, self.min_genes) < 0 or (self.max_genes or 0) < 0:
            raise DataError("A threshold is below 0.", "Give 0 or more.")

    @property
    def filters(self) -> bool:
        """Whether any cell could be left out."""
        return self.drop_empty or bool(
            self.min_counts or self.min_genes or self.max_genes is not None or self.max_mito < 1
        )

    def keep(self, quality: Quality) -> np.ndarray:
        """The cells that stay, (cells,) bool."""
        most = np.inf if self.max_genes is None else self.max_genes
        keep = (quality.total >= self.min_counts) & (quality.genes >= self.min_genes)
        keep &= (quality.genes <= most) & (quality.mitochondrial <= self.max_mito)
        return keep & (quality.genes > 0) if self.drop_empty else keep

    def remedied(self, remedy: dict) -> View:
        """With a finding's remedy; a threshold that is stricter already stays."""
        fixed = dict(remedy)
        if "min_genes" in fixed:
            fixed["min_genes"] = max(fixed["min_genes"], self.min_genes)
        if "max_mito" in fixed:
            fixed["max_mito"] = min(fixed["max_mito"], self.max_mito)
        return replace(self, **fixed)

    def to_json(self) -> dict:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> View:
        """Back from :meth:`to_json`; names of a later version are refused."""
        unknown = set(value) - {f.name for f in fields(cls)}
        if unknown:
            raise DataError(f"Unknown choices on a file: {sorted(unknown)}.", "Update scMPT.")
        return cls(**value)
