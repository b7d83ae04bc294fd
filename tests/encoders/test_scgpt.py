"""scGPT: the stack against PyTorch's own, the tokens against numpy, checkpoints read strictly."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from scmpt_core.encoders import EncoderOptions
from scmpt_core.encoders.scgpt import ScGPT, ScGPTConfig, load_checkpoint
from scmpt_core.encoders.scgpt.tokens import GeneTokens
from scmpt_core.errors import MissingComponent, SettingError
from tests.helpers import cells_of, tokenise

CONFIG = ScGPTConfig(vocabulary_size=33, embsize=32, nlayers=2, nheads=4, d_hid=64)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ScGPT(CONFIG).eval()


def test_stack_equals_pytorchs_transformer(model):
    layer = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.0)
    reference = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    state = model.transformer_encoder.state_dict()
    reference.load_state_dict(state, strict=True)
    ids = torch.randint(0, 30, (3, 9))
    values = torch.randint(1, 51, (3, 9)).float()
    padding = torch.zeros(3, 9, dtype=torch.bool)
    padding[1, 6:] = True
    with torch.no_grad():
        x = model.encoder(ids) + model.value_encoder(values)
        expected = reference(x, src_key_padding_mask=padding)
        out = model(ids, values, padding)
    torch.testing.assert_close(out[~padding], expected[~padding], atol=1e-5, rtol=1e-5)


def test_too_many_genes_keep_a_random_but_stable_subset(counts):
    cells = cells_of(counts)
    vocabulary = {g: i for i, g in enumerate(cells.genes)}
    rows = tokenise(cells, vocabulary, 51, 8)
    assert rows.lengths.max() == 8
    alone = tokenise(cells.take(np.array([5])), vocabulary, 51, 8)
    np.testing.assert_array_equal(alone.ids, rows.ids[rows.indptr[5] : rows.indptr[6]])
    # every gene has its turn
    assert len(np.unique(rows.ids)) == 30


def test_cells_without_known_genes_are_only_cls(counts):
    cells = cells_of(counts)
    tokens = GeneTokens(cells, {"LYZ": 0}, 51, 8)
    rows = tokens.rows(np.flatnonzero(tokens.lengths == 0)[:2], (31, -2))
    assert rows.ids.tolist() == [31, 31]
    assert rows.values.tolist() == [-2, -2]
    assert rows.lengths.tolist() == [1, 1]


def test_unknown_way_of_long_cells():
    with pytest.raises(SettingError, match="'first'") as refused:
        EncoderOptions("first")
    assert "random, highest" in refused.value.hint


def folder_of(model, path, naming, suffix):
    path.mkdir()
    state = dict(model.state_dict())
    state["decoder.fc.0.weight"] = torch.zeros(2, 2)  # training heads are there and not used
    state["flag_encoder.weight"] = torch.zeros(2, 2)
    if naming == "Wqkv":
        state = {k.replace("self_attn.in_proj_", "self_attn.Wqkv."): v for k, v in state.items()}
    if suffix == "pt":
        torch.save(state, path / "best_model.pt")
    else:
        save_file(state, path / "model.safetensors")
    shape = {"embsize": 32, "nlayers": 2, "nheads": 4, "d_hid": 64, "max_seq_len": 1200}
    (path / "args.json").write_text(json.dumps(shape))
    symbols = [f"G{i}" for i in range(30)] + ["<pad>", "<cls>", "<eoc>"]
    (path / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(symbols)}))
    return path


@pytest.mark.parametrize("naming", ["Wqkv", "in_proj"])
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_both_namings_and_files_load(model, tmp_path, naming, suffix):
    loaded = load_checkpoint(folder_of(model, tmp_path / "c", naming, suffix))
    for key, value in model.state_dict().items():
        torch.testing.assert_close(loaded.model.state_dict()[key], value)


def test_a_pickle_with_code_is_not_run(model, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    folder = folder_of(model, tmp_path / "c", "in_proj", "pt")
    torch.save({"x": Evil()}, folder / "best_model.pt")
    with pytest.raises(MissingComponent, match="cannot be read"):
        load_checkpoint(folder)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("damage", ["shape", "missing", "vocab", "truncated"])
def test_damage_is_refused(model, tmp_path, damage):
    folder = folder_of(model, tmp_path / "c", "in_proj", "safetensors")
    if damage == "shape":
        args = json.loads((folder / "args.json").read_text()) | {"nlayers": 3}
        (folder / "args.json").write_text(json.dumps(args))
    elif damage == "missing":
        (folder / "model.safetensors").unlink()
    elif damage == "vocab":
        (folder / "vocab.json").write_text('{"G1": 0}')
    else:
        data = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(MissingComponent):
        load_checkpoint(folder)
