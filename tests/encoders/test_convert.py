"""The one conversion of a pickled state dict: every tensor, bit for bit, and no code."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from scmpt_core.encoders.scgpt.convert import convert
from scmpt_core.errors import MissingComponent


def converted(state, folder) -> tuple[dict, dict]:
    torch.save(state, folder / "best_model.pt")
    record = convert(folder / "best_model.pt", folder / "model.safetensors")
    return record, load_file(folder / "model.safetensors")


def test_every_tensor_bit_for_bit(tmp_path):
    base = torch.randn(4, 6)
    state = {
        "layers.0.self_attn.Wqkv.weight": base,
        "layers.1.self_attn.in_proj_weight": base,  # the same memory twice
        "decoder.row": base[1],  # part of it
        "decoder.transposed": base.T,
        "decoder.strided": base[:, ::2],
        "half": torch.randn(3).bfloat16(),
        "count": torch.tensor(7),
        "nothing": torch.empty(0),
        "nan": torch.tensor([float("nan"), -0.0]),
        "mask": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    record, written = converted(state, tmp_path)
    assert set(written) == set(state)
    assert record["tensors"] == len(state)
    assert record["left_out"] == []
    for name, value in state.items():
        assert written[name].dtype == value.dtype
        torch.testing.assert_close(written[name], value.detach(), rtol=0, atol=0, equal_nan=True)
    assert torch.equal(torch.signbit(written["nan"]), torch.signbit(state["nan"]))


def test_what_is_no_tensor_is_named(tmp_path):
    record, written = converted({"x": torch.ones(2), "epoch": 3, 5: torch.ones(1)}, tmp_path)
    assert set(written) == {"x"}
    assert record["left_out"] == ["5", "epoch"]


@pytest.mark.parametrize(
    "state", [{"epoch": 3}, {}, torch.ones(3), {"model": {"x": torch.ones(2)}}]
)
def test_without_tensors_by_name_it_is_refused(state, tmp_path):
    with pytest.raises(MissingComponent, match="holds no tensors by name"):
        converted(state, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


def test_code_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    with pytest.raises(MissingComponent, match="cannot be read"):
        converted({"x": Evil()}, tmp_path)
    assert not (tmp_path / "owned").exists()
