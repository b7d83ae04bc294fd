"""What carries a label, whatever the format of the sentence that the text encoder reads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scmpt_core.attribution import Options, Subject, get_method
from scmpt_core.device import choose_device
from scmpt_core.encoders import EncoderOptions, load_encoder
from scmpt_core.fusion.ways import Way
from scmpt_core.progress import silent
from tests.conftest import SYMBOLS
from tests.helpers import random_cells

GENES = np.array([f"{symbol}{i}" for i in "123" for symbol in SYMBOLS])
TOKENS = 96  # a small window, so that it ends within a level


@pytest.fixture(params=["plain", "levels", "described", "prefix"])
def subject(request, tmp_path, monkeypatch):
    """A cell of 80 genes, of which some 25 are read, before a random head."""
    table = tmp_path / "genes.csv"
    table.write_text("symbol,description\n" + "\n".join(f"{g},a gene" for g in GENES[::3]))
    monkeypatch.setenv("SCMPT_GENE_DESCRIPTIONS", str(table))
    cells, device = random_cells(GENES, [80, 40, 60], seed=3, counts=300), choose_device()
    options = EncoderOptions(
        sentence=request.param, prefix="human blood:" if request.param == "prefix" else ""
    )
    encoder = load_encoder("minilm", device, options).fit(cells)
    encoder.max_tokens = TOKENS
    torch.manual_seed(0)
    way = Way("minilm", ("minilm",), torch.nn.Linear(384, 3))
    return Subject(cells.take(np.array([0])), {"minilm": encoder}, [way], device)


def test_the_path_ends_at_the_encoder_and_only_genes_change(subject):
    encoder = subject.encoders["minilm"]
    path = subject.path("minilm", "mask", "value")
    with torch.no_grad():
        found = path.embed(path.end).numpy()
    np.testing.assert_allclose(found, encoder.encode(subject.cell, silent), atol=2e-5)
    changed = (path.end != path.start).any(dim=2).numpy()[0]
    np.testing.assert_array_equal(changed, path.owners >= 0)
    assert len(path.owners) == TOKENS
    own = encoder.tokenizer(" ".join(encoder.sentence.literals))["input_ids"]
    assert 2 <= (path.owners < 0).sum() <= len(own)  # with [CLS] and [SEP]


def test_occlusion_is_exact_for_every_gene(subject):
    """Also for those behind the window, most of which can then be left out of the count."""
    scores = get_method("occlusion").explain(subject, 1, Options(), 0)["minilm"].scores
    n = len(subject.columns)
    without = subject.logits(~np.eye(n, dtype=bool))["minilm"][:, 1]
    np.testing.assert_allclose(scores, subject.whole["minilm"][1] - without, atol=2e-5)
    unread = ~subject.seen(subject.ways[0])
    assert unread.sum() > 30
    moved = np.abs(scores[unread]) > 1e-3
    assert moved.any() == (subject.encoders["minilm"].sentence.info.name == "levels")
