"""One question to the model on a sample of cells; what was answered is kept in the session."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from scmpt_core.ablations import Ablated, Request, ablate
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.library import noting
from scmpt_core.settings import get_settings
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.components import plain
from scmpt_core.ui.state import model_in

_KEPT, MOST = "ablation_trials", 30


def trial(subject: Subject, request: Request) -> Ablated:
    """The answers, with a bar while they are made.

    Raises
    ------
    ScmptError
        The ablation cannot be made on these cells.
    """
    kept = st.session_state.setdefault(_KEPT, {})
    key = subject.key, request
    if key not in kept:
        bar = st.progress(0.0, text="opening the model …")
        try:
            kept[key] = _asked(subject, request, bar)
        finally:
            bar.empty()
        while len(kept) > MOST:
            kept.pop(next(iter(kept)))
    return kept[key]


def _asked(subject: Subject, request: Request, bar: st.delta_generator.DeltaGenerator) -> Ablated:
    device, settings = choose_device(), get_settings()
    model = model_in(str(subject.offer.folder))
    # what is perturbed is looked at once, so its embeddings are not kept
    with tempfile.TemporaryDirectory() as folder:
        return ablate(
            model, subject.cells, subject.known, request,
            EmbeddingStore(settings.embeddings, noting(settings.home, device.name)), device,
            subject.item.name, lambda done, text: bar.progress(min(done, 1.0), text=plain(text)),
            EmbeddingStore(Path(folder)),
        )  # fmt: skip
