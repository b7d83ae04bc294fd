"""Many cells as one picture: what WebGL would draw point by point, painted here.

A hundred thousand points take a browser without a graphics card more than a second; a picture of
them is there at once, holds every cell, and outlines can still be drawn on it. What is lost is
the name under the pointer, and sharpness when zooming in.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 1200, 825  # pixels, about what a laptop shows of it
FADED = 36  # opacity (of 255) of cells outside a selection


def paint(
    points: np.ndarray, colours: np.ndarray, faded: np.ndarray, size: int
) -> tuple[str, tuple[float, float, float, float]]:
    """Paint points in the order given, later ones on top and faded ones below all others.

    Parameters
    ----------
    points
        (cells, 2), finite.
    colours
        (cells, 3) uint8.
    faded
        (cells,) bool.
    size
        Pixels of a point's side.

    Returns
    -------
    The picture as a ``data:`` address, and what it covers: left, right, bottom, top.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    low, high = low - 0.02 * span, low + 1.02 * span  # room for points at the edge
    at = ((points - low) / (high - low) * [WIDTH - size, HEIGHT - size]).astype(np.int64)
    picture = np.zeros((HEIGHT, WIDTH, 4), dtype=np.uint8)
    for which, opacity in ((faded, FADED), (~faded, 255)):
        x, y = at[which, 0], HEIGHT - 1 - at[which, 1]
        for across in range(size):
            for down in range(size):
                picture[y - down, x + across, :3] = colours[which]
                picture[y - down, x + across, 3] = opacity
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", compress_level=1)
    source = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    return source, (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
