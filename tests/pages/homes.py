"""Homes that several page tests start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scmpt_core.library import LOCAL, Library, add_dataset
from tests.conftest import toy


def home_with_model(folder: Path, fill: Callable[[Path, Path], dict], cells: int) -> Path:
    """A home with a model and ``cells`` toy cells of each type.

    Parameters
    ----------
    fill
        Puts the model into the first folder, with the home at hand; returns what is kept of it.
    """
    home = folder / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMPT_HOME", str(home))
        patch.setenv("SCMPT_DTYPE", "float32")
        library = Library(home)
        library.add(LOCAL, "model", "toy model", lambda place: fill(place, home))
        toy(cells).write_h5ad(folder / "cells.h5ad")
        add_dataset(library, LOCAL, folder / "cells.h5ad")
    return home
