"""One palette: a class keeps its colour and marker on every page.

First the eight colours that colour-blind readers tell apart (Okabe and Ito 2008; black, which a
dark page swallows, is replaced by grey), then eight that differ from them in lightness or hue;
times three markers, each with a shade of its own, they reach 48 classes.
"""

from __future__ import annotations

from collections.abc import Sequence

from scmpt_core.encoders import get_spec
from scmpt_core.evaluation import FUSION

COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A900", "#8C8C8C",
    "#7B4FA3", "#8A5A2B", "#6FBF4B", "#E0518D", "#2F8F9D", "#F2B38B", "#5B6FD8", "#A3B1BF",
)  # fmt: skip
MARKERS = ("circle", "diamond", "cross")
RECOMMENDED, OTHER_FUSED, BASELINE = "#D55E00", "#E69F00", "#8C8C8C"
MODALITIES = {"text": "#0072B2", "genes": "#CC79A7", "expression": "#009E73"}


def class_styles(classes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Class → (colour, marker), by position; the same for equal lists of classes."""
    n = len(COLOURS)
    styles = {}
    for i, name in enumerate(classes):
        band = i // n % len(MARKERS)
        styles[name] = (_shade(COLOURS[i % n], band), MARKERS[band])
    return styles


def _shade(colour: str, band: int) -> str:
    """The colour itself, then darker, then lighter: where points are small, signs do not show."""
    target, share = ((0, 0.0), (0, 0.4), (255, 0.5))[band]
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(p + (target - p) * share):02X}" for p in parts)


def model_colour(row: dict) -> str:
    """Fixed: by what the encoder reads; fusions, the recommended one before others; baselines.

    ``row`` is one of ``models`` in a comparison's JSON.
    """
    if row["kind"] == "baseline":
        return BASELINE
    if len(row["encoders"]) > 1:
        return RECOMMENDED if row["name"] == FUSION else OTHER_FUSED
    return MODALITIES[get_spec(row["encoders"][0]).info.modality]
