"""One contract for every encoder of the registry."""

from __future__ import annotations

import numpy as np
import pytest

from scmpt_core import verbs
from scmpt_core.device import choose_device
from scmpt_core.encoders import ENCODERS, PCAEncoder, get_spec, identity_hash, load_encoder
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.progress import silent
from tests.helpers import cells_of

NAMES = [spec.info.name for spec in ENCODERS]


def ready(name, cells):
    spec = get_spec(name)
    if not spec.status().ready:
        pytest.skip(f"{name} is not on this machine: {spec.status().how_to_get}")
    encoder = load_encoder(name, choose_device())
    return encoder.fit(cells) if isinstance(encoder, PCAEncoder) else encoder


def test_names_are_unique_and_bundled_ones_ready():
    assert len(set(NAMES)) == len(NAMES)
    listed = {row["name"]: row for row in verbs.list_encoders()}
    assert all(listed[name]["ready"] for name in ("scgpt-mini", "minilm", "pca"))
    assert all(row["how_to_get"] for row in listed.values())


@pytest.mark.parametrize("name", NAMES)
def test_shape_type_and_independence_of_the_batch(name, counts):
    cells = cells_of(counts)
    encoder = ready(name, cells)
    whole = encoder.encode(cells, silent)
    assert whole.shape == (len(cells), encoder.info.dimension)
    assert whole.dtype == np.float32
    rows = np.array([50, 3, 99])
    np.testing.assert_allclose(encoder.encode(cells.take(rows), silent), whole[rows], atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_column_order_does_not_matter(name, counts):
    cells = cells_of(counts)
    encoder = ready(name, cells)
    other = cells_of(counts[:, ::-1].copy())
    np.testing.assert_allclose(
        encoder.encode(other, silent), encoder.encode(cells, silent), atol=2e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_window_is_a_distribution_over_genes(name, counts):
    cells = cells_of(counts)
    window = ready(name, cells).window(cells)
    assert window.shape == (len(cells.genes),)
    assert window.min() >= 0
    assert window.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_missing_weights_say_what_to_do(name, monkeypatch):
    if get_spec(name).status().ready:
        pytest.skip(f"{name} is here, so nothing is missing")
    with pytest.raises(MissingComponent) as missing:
        load_encoder(name, choose_device())
    assert "python -m scmpt_core download" in missing.value.hint


def test_unknown_name():
    with pytest.raises(SettingError, match="there are: scgpt-mini"):
        get_spec("geneformer")


def test_pca_is_that_of_an_independent_svd(counts):
    cells = cells_of(counts)
    dense = cells.expression.toarray().astype(np.float64)
    _, s, _ = np.linalg.svd(dense - dense.mean(axis=0), full_matrices=False)
    scores = PCAEncoder(get_spec("pca").info).fit(cells).encode(cells, silent)
    np.testing.assert_allclose(np.linalg.norm(scores, axis=0)[:29], s[:29], rtol=1e-3)


def test_pca_key_includes_what_it_was_fitted_on(counts):
    cells, info = cells_of(counts), get_spec("pca").info
    fits = [PCAEncoder(info).fit(cells.take(np.arange(n))) for n in (100, 100, 110)]
    keys = [identity_hash(fit) for fit in fits]
    assert keys[0] == keys[1] != keys[2]
