"""A GPU that runs out of memory, and its attention kernel, both stood in for."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
import torch

from scmpt_core.encoders import packed
from scmpt_core.encoders.batching import Budget, encode_batches
from scmpt_core.encoders.packed import Packing, attend, attend_by_cell
from scmpt_core.errors import ModelError
from scmpt_core.progress import Cancelled, Meter, silent

LENGTHS = np.array([3, 10, 40, 2, 25, 8, 8, 1])


def run(room, budget=100, progress=silent, lengths=LENGTHS):
    """A device with memory for ``room`` tokens; a cell's vector is its position."""
    out, sizes = np.full((len(lengths), 1), -1.0, np.float32), []

    def forward(which):
        if lengths[which].sum() > room:
            raise torch.OutOfMemoryError("out of memory")
        sizes.append(int(lengths[which].sum()))
        return torch.from_numpy(which[:, None])

    meter = Meter(progress, len(lengths), "cells", "toy")
    budget = budget if isinstance(budget, Budget) else Budget(budget)
    encode_batches(lengths, lambda which: which, forward, out, budget, meter)
    return out[:, 0], sizes


def test_every_cell_in_its_place():
    out, sizes = run(room=1_000)
    assert out.tolist() == list(range(8))
    assert sizes == [97]
    assert run(room=1_000, budget=45)[1] == [40, 43, 14]


def test_out_of_memory_halves_goes_on_and_says_so(caplog):
    said = []
    with caplog.at_level(logging.WARNING):
        out, sizes = run(room=50, progress=lambda fraction, message: said.append(message))
    assert out.tolist() == list(range(8))
    assert max(sizes) <= 50
    assert any("out of GPU memory" in message for message in said)
    assert said[-1].startswith("toy: 8 of 8 cells")
    assert "going on with 48" in said[-1]
    assert "out of GPU memory" in caplog.text


def test_one_cell_that_does_not_fit_is_refused():
    with pytest.raises(ModelError, match="one cell of 40 tokens") as refused:
        run(room=39)
    assert "SCMPT_DEVICE=cpu" in refused.value.hint


def test_what_was_learnt_of_the_memory_stays():
    budget = Budget(100)
    assert run(room=50, budget=budget)[1] == run(room=50, budget=budget)[1]
    assert budget.tokens == 48
    with pytest.raises(ModelError):  # nothing above 48 is tried a second time
        run(room=39, budget=budget)


def test_cancelling_stops_it_and_ends_the_thread():
    prepared, threads = [], threading.active_count()

    def stop(fraction, message):
        raise Cancelled

    def forward(which):
        return torch.from_numpy(which[:, None])

    out, meter = np.zeros((8, 1), np.float32), Meter(stop, 8, "cells", "toy")
    with pytest.raises(Cancelled):
        encode_batches(LENGTHS, lambda w: prepared.append(w) or w, forward, out, Budget(1), meter)
    assert len(prepared) <= 3
    assert threading.active_count() == threads


def test_a_failure_in_the_thread_comes_out():
    def broken(which):
        raise ZeroDivisionError

    meter = Meter(silent, 8, "cells", "toy")
    with pytest.raises(ZeroDivisionError):
        encode_batches(LENGTHS, broken, torch.from_numpy, np.zeros((8, 1)), Budget(9), meter)


def test_no_cells():
    assert run(room=1, lengths=np.array([], dtype=int))[0].tolist() == []


class OnGPU(torch.Tensor):
    """A tensor that says it is on a GPU."""

    is_cuda = True


def by_definition(query, key, value, cu_q, cu_k, max_q, max_k, *, scale):
    """What ``varlen_attn`` is documented to compute, and what it may be given."""
    assert query.shape[1:] == key.shape[1:] == value.shape[1:] == (2, 8)
    assert len(key) == len(value) == cu_k[-1] == 39
    assert len(query) == cu_q[-1]
    assert cu_q.dtype == cu_k.dtype == torch.int32
    assert max_q == (cu_q[1:] - cu_q[:-1]).max()
    assert max_k == (cu_k[1:] - cu_k[:-1]).max()
    out = torch.empty(query.shape, dtype=query.dtype)
    spans = zip(cu_q[:-1].tolist(), cu_q[1:].tolist(), cu_k[:-1].tolist(), cu_k[1:].tolist(),
                strict=True)  # fmt: skip
    for a, b, c, d in spans:
        parts = [t.transpose(0, 1)[None] for t in (query[a:b], key[c:d], value[c:d])]
        same = torch.nn.functional.scaled_dot_product_attention(*parts, scale=scale)
        out[a:b] = same[0].transpose(0, 1)
    return out


@pytest.mark.parametrize("first_only", [False, True])
def test_the_gpus_kernel_is_asked_as_documented(monkeypatch, first_only):
    torch.manual_seed(0)
    packing = Packing.of(np.array([5, 1, 33]), "cpu")
    q, k, v = torch.randn(3, 39 + packed.SLACK, 2, 8, dtype=torch.bfloat16)
    q = q[[0, 5, 6]] if first_only else q[:39]
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", by_definition)
    expected = attend_by_cell(q, k, v, packing, first_only)
    out = attend(q.as_subclass(OnGPU), k, v, packing, first_only)
    torch.testing.assert_close(
        out.as_subclass(torch.Tensor).float(), expected.float(), atol=0.05, rtol=0.02
    )


def test_only_first_tokens_are_those_of_all_tokens():
    torch.manual_seed(0)
    packing = Packing.of(np.array([5, 1, 33]), "cpu")
    q, k, v = torch.randn(3, 39 + packed.SLACK, 2, 8)
    whole = attend_by_cell(q[:39], k, v, packing)
    first = attend_by_cell(q[[0, 5, 6]], k, v, packing, first_only=True)
    torch.testing.assert_close(first, whole[[0, 5, 6]])
