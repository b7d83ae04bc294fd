"""Words for ablations, regimes and ways; what costs most, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from scmpt_core.ablations import ABLATIONS, REGIMES, Row, board
from scmpt_core.ablations.base import Regime
from scmpt_core.ablations.possible import WHY, Obstacle
from scmpt_core.ablations.summary import cost

TITLES = {info.name: f"{info.title} ({info.family})" for info in ABLATIONS}
FAMILY_WORDS = {
    "order": "order: the same genes in another order",
    "identity": "identity: the same order under other names",
    "content": "content: genes or counts that are not there",
    "window": "window: how many genes the text encoder sees",
    "values": "values: the same genes with other numbers",
    "encoders": "encoders: one embedding taken away or exchanged",
}
# what a person on the page can do about it
REMEDIES: dict[Obstacle, str] = {
    "markers": "needs known markers: switch them on above, and confirm what the types are",
    "gene set": "needs a gene set: name one under Your own genes",
}


def lacking(what: Obstacle | None) -> str | None:
    """Why an ablation cannot be made here, in the page's words; ``None``: it can."""
    return None if what is None else REMEDIES.get(what, WHY[what])


def way_words(way: str, ways: Sequence[str]) -> str:
    """The whole model is told from its parts."""
    if len(ways) == 1:
        return way
    return f"{way} (the whole model)" if way == ways[0] else f"{way} alone"


def signed(value: float | None, interval: object = None) -> str:
    """``+0.123 (+0.101 to +0.150)``, or a dash."""
    if value is None:
        return "—"
    if interval is None:
        return f"{value:+.3f}"
    return f"{value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def verdict(rows: list[Row], regime: Regime, way: str) -> str:
    """What costs most under a regime, and what the regime is."""
    best = board(rows, regime, way)
    known = bool(best) and best[0].macro_f1_drop is not None
    by = "drop in macro F1 (95 % interval)" if known else "share of labels that flip"
    told = [
        f"{r.title} {signed(r.macro_f1_drop, r.interval) if known else f'{r.flipped:.1%}'}"
        for r in best[:3]
        if cost(r) > 0
    ]
    what = f"{regime}: {REGIMES[regime]}"
    if not told:
        return f"{what}. Nothing costs {way} anything."
    return f"{what}. Of {len(best)} ablations these cost {way} most, by {by}: {'; '.join(told)}."
