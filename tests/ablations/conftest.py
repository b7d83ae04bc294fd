"""The model on planted markers that attribution is tested on too."""

from __future__ import annotations

import pytest

from tests.attribution.conftest import Trained


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    """Stacking over minilm, scgpt-mini and pca, on toy cells with three markers a type."""
    return Trained(tmp_path_factory.mktemp("ablations"))
