"""Are the genes that carried a prediction known markers more often than chance?

Highly expressed genes are both attributed to and listed as markers more often than others. A set
of random genes (the hypergeometric test) is therefore no fair comparison: here a gene is held
against genes that are expressed alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import hypergeom

from scmpt_core.markers.order import check_lengths, expression_bins, top_positive

MIN_BIN = 50  # genes


@dataclass(frozen=True)
class MarkerTest:
    """Overlap of the top genes with a type's markers, and how often chance has as much.

    Parameters
    ----------
    k, used
        How many top genes were asked for, and how many there are: with a positive score.
    genes, found
        The top genes, the best first, and those of them that are markers.
    p
        (1 + b) / (1 + draws), where b of the drawn sets overlap as much; None: not testable.
    null_mean
        Expected overlap of a drawn set, exact.
    null_counts
        Number of draws with an overlap of 0, 1, …, used.
    p_hypergeom
        The same against sets of any genes that were seen: descriptive only.
    missing
        Markers that were seen and are not among the top genes.
    unseen
        Markers in the data that the model could not have seen.
    reason
        Why there is no p; empty otherwise.
    """

    k: int
    used: int
    overlap: int
    genes: tuple[str, ...]
    found: tuple[str, ...]
    p: float | None
    null_mean: float | None
    null_counts: tuple[int, ...]
    draws: int
    p_hypergeom: float | None
    n_seen: int
    n_markers_in_data: int
    n_markers_seen: int
    missing: tuple[str, ...]
    unseen: tuple[str, ...]
    reason: str = ""

    @property
    def testable(self) -> bool:
        """Whether there is a p."""
        return self.p is not None

    @property
    def note(self) -> str:
        """What a reader should know: no p and why, or fewer genes than asked for."""
        if self.reason or self.used == self.k:
            return self.reason
        return f"only {self.used} of {self.k} genes have a positive score"

    def to_json(self) -> dict:
        """As a JSON object."""
        value = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {**value, "note": self.note}

    @classmethod
    def from_json(cls, value: dict) -> MarkerTest:
        """Back from :meth:`to_json`."""
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
        fields.pop("note", None)
        return cls(**fields)


def marker_test(
    genes: np.ndarray,
    scores: np.ndarray,
    ranks: np.ndarray,
    seen: np.ndarray,
    markers: np.ndarray,
    k: int = 10,
    draws: int = 10_000,
    seed: int = 0,
) -> MarkerTest:
    """Test the overlap of the ``k`` highest positive scores with the markers.

    The null: among genes that are expressed alike, which of them are attributed to has nothing to
    do with which are markers. The genes that were seen are cut into bins of like expression
    (:func:`expression_bins`, at least max(50, 2k) genes each). A drawn set takes from each bin as
    many genes as the top genes have there, without replacement; of draws m of which b overlap at
    least as much, p = (1 + b) / (1 + m) (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585). The
    number of markers among n genes drawn from a bin is hypergeometric, and is drawn as such.

    What p cannot tell apart is expression within a bin: markers are often the highest of the
    highest bin.

    Parameters
    ----------
    genes
        Symbols, (genes,).
    scores
        Attribution of each gene, (genes,), finite; what was not seen is never a top gene.
    ranks
        Mean expression rank in the cells attributed, (genes,); only the order counts.
    seen
        Whether the model could have seen the gene: in the data and within its window, (genes,).
    markers
        Whether it is a marker of the type, (genes,).

    Raises
    ------
    ValueError
        Lengths differ, a score or the rank of a gene seen is not finite, or ``k`` or ``draws`` is
        below 1.
    """
    seen, markers = np.asarray(seen, bool), np.asarray(markers, bool)
    if k < 1 or draws < 1:
        raise ValueError(f"k is {k}, draws {draws}; both must be at least 1")
    check_lengths(scores, genes, ranks, seen, markers)
    if not np.isfinite(np.asarray(ranks, float)[seen]).all():
        raise ValueError("the rank of a gene that was seen is not finite")
    top = top_positive(scores, seen, k, ranks)
    known, hits = markers & seen, markers[top]
    reason = _untestable(len(top), int(markers.sum()), int(known.sum()))
    counts, mean, p, plain = np.empty(0, int), None, None, None
    if not reason:
        bins = expression_bins(ranks, seen, max(MIN_BIN, 2 * k))
        counts, mean = _null(bins, known, top, draws, seed)
        p = (1 + int(counts[hits.sum() :].sum())) / (1 + draws)
        sizes = (int(seen.sum()), int(known.sum()), len(top))
        plain = float(hypergeom.sf(int(hits.sum()) - 1, *sizes))
    rest = known.copy()
    rest[top] = False
    return MarkerTest(
        k=k,
        used=len(top),
        overlap=int(hits.sum()),
        genes=_names(genes[top]),
        found=_names(genes[top][hits]),
        p=p,
        null_mean=mean,
        null_counts=tuple(counts.tolist()),
        draws=0 if reason else draws,
        p_hypergeom=plain,
        n_seen=int(seen.sum()),
        n_markers_in_data=int(markers.sum()),
        n_markers_seen=int(known.sum()),
        missing=_names(genes[rest]),
        unseen=_names(genes[markers & ~seen]),
        reason=reason,
    )


def _null(
    bins: np.ndarray, known: np.ndarray, top: np.ndarray, draws: int, seed: int
) -> tuple[np.ndarray, float]:
    """Draws by overlap, (top genes + 1,), and the expected overlap."""
    rng = np.random.default_rng(seed)
    overlap, mean = np.zeros(draws, dtype=np.int64), 0.0
    for place, taken in zip(*np.unique(bins[top], return_counts=True), strict=True):
        inside = bins == place
        good, size = int(known[inside].sum()), int(inside.sum())
        overlap += rng.hypergeometric(good, size - good, taken, size=draws)
        mean += taken * good / size
    return np.bincount(overlap, minlength=len(top) + 1), float(mean)


def _untestable(used: int, in_data: int, seen: int) -> str:
    if not in_data:
        return "not testable: none of the type's markers is in the data"
    if not seen:
        which = "the only marker" if in_data == 1 else f"any of the {in_data} markers"
        return f"not testable: the model could not see {which} in the data"
    if not used:
        return "not testable: no gene has a positive score"
    return ""


def _names(genes: np.ndarray) -> tuple[str, ...]:
    return tuple(str(gene) for gene in genes)
