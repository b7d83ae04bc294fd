"""Weights with published hashes: from a folder or the hub, converted once, put in place whole."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os

import pytest
import torch
from safetensors.torch import save

from scmpt_core.encoders import DOWNLOADS, download, get_spec, registry
from scmpt_core.encoders.scgpt import ScGPT, ScGPTConfig, load_checkpoint
from scmpt_core.encoders.weights import Download, transfer
from scmpt_core.encoders.weights.hashes import PUBLISHED, RECORDED, SAME, UNHELD
from scmpt_core.errors import MissingComponent
from scmpt_core.progress import silent
from tests.hub_server import COMMIT, HubServer

# the package's name for it is the function
module = importlib.import_module("scmpt_core.encoders.download")
PICKLED, CONVERTED = "best_model.pt", "model.safetensors"


def checkpoint(seed: int = 0) -> dict[str, bytes]:
    """A small checkpoint as upstream writes them: flash-attention's names, training heads."""
    torch.manual_seed(seed)
    model = ScGPT(ScGPTConfig(vocabulary_size=33, embsize=32, nlayers=2, nheads=4, d_hid=64))
    state = {
        name.replace("self_attn.in_proj_", "self_attn.Wqkv."): value
        for name, value in model.state_dict().items()
    }
    state["decoder.fc.0.weight"] = torch.ones(2, 2)
    file = io.BytesIO()
    torch.save(state, file)
    shape = {"embsize": 32, "nlayers": 2, "nheads": 4, "d_hid": 64}
    symbols = [*(f"G{i}" for i in range(30)), "<pad>", "<cls>", "<eoc>"]
    vocabulary = {symbol: i for i, symbol in enumerate(symbols)}
    return {
        "args.json": json.dumps(shape).encode(),
        "vocab.json": json.dumps(vocabulary).encode(),
        PICKLED: file.getvalue(),
    }


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def files(monkeypatch):
    """A published checkpoint in the place of scgpt-human."""
    files = checkpoint()
    item = Download(
        "scgpt-human", "u-cellm/scGPT-whole-human", "main", tuple(files),
        "SCMPT_SCGPT_HUMAN_FOLDER", sha256={n: sha256(d) for n, d in files.items()},
        pickled=PICKLED,
    )  # fmt: skip
    monkeypatch.setattr(module, "DOWNLOADS", [item, DOWNLOADS[1]])
    return files


def write(folder, files):
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def folder(files, tmp_path):
    return write(tmp_path / "copy", files)


def test_the_published_are_as_the_registry_says():
    for item in DOWNLOADS:
        spec = get_spec(item.name)
        assert item.variable in spec.status().how_to_get
        assert set(item.sha256) <= set(item.needed)
        assert all(len(h) == 64 and int(h, 16) for h in item.sha256.values())


@pytest.mark.parametrize("way", ["hub", "folder"])
def test_installed_converted_and_the_same_encoder(way, files, folder, home):
    if way == "hub":
        with HubServer(files, large=frozenset({PICKLED})) as hub:
            result = download("scgpt-human", silent, endpoint=hub.url)
    else:
        result = download("scgpt-human", silent, folder)
    here = home / "models" / "scgpt-human"
    assert {f["check"] for f in result["files"].values()} == {PUBLISHED}
    assert result["revision"] == "main"
    assert result["commit"] == (COMMIT if way == "hub" else None)
    assert {p.name for p in here.iterdir()} == {
        "args.json", "vocab.json", CONVERTED, "scmpt_download.json"
    }  # fmt: skip
    # what was published stays visible although its file is gone
    record = json.loads((here / "scmpt_download.json").read_text())
    assert record == {k: v for k, v in result.items() if k != "folder"}
    assert record["conversion"]["source_sha256"] == sha256(files[PICKLED])
    assert record["conversion"]["sha256"] == sha256((here / CONVERTED).read_bytes())
    # same numbers, same identity as from the folder itself
    one, other = load_checkpoint(registry.scgpt_human_folder()), load_checkpoint(folder)
    assert registry.scgpt_human_folder() == here
    assert one.sha256 == other.sha256 == sha256(files[PICKLED])
    states = one.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])
    assert not (home / "models" / ".partial" / "scgpt-human").exists()
    assert not (home / "models" / "known_hashes.json").exists()  # all are published


def test_a_changed_file_does_not_pass_as_the_published(files, folder, home):
    download("scgpt-human", silent, folder)
    here = home / "models" / "scgpt-human"
    data = bytearray((here / CONVERTED).read_bytes())
    data[-1] ^= 1
    (here / CONVERTED).write_bytes(data)
    assert load_checkpoint(here).sha256 == sha256(bytes(data))


def test_damage_leaves_the_old_install(files, folder, home):
    download("scgpt-human", silent, folder)
    here = home / "models" / "scgpt-human"
    before = {p.name: p.read_bytes() for p in here.iterdir()}
    damaged = bytearray(files[PICKLED])
    damaged[len(damaged) // 2] ^= 1
    (folder / PICKLED).write_bytes(damaged)
    with pytest.raises(MissingComponent, match=f"{sha256(damaged)}, not {sha256(files[PICKLED])}"):
        download("scgpt-human", silent, folder)
    assert {p.name: p.read_bytes() for p in here.iterdir()} == before
    assert not list((home / "models" / ".partial").rglob("*.pt"))


@pytest.mark.parametrize("listed", [True, False])
def test_the_hub_is_held_to_the_published_hashes(files, home, listed):
    """Its main may have moved on: whole and well, but other weights."""
    other = files | {PICKLED: checkpoint(seed=1)[PICKLED]}
    with HubServer(other, large=frozenset({PICKLED}), listed_hashes=listed) as hub:
        with pytest.raises(MissingComponent, match="as published"):
            download("scgpt-human", silent, endpoint=hub.url)
        assert bool(hub.asked(PICKLED)) is not listed
        hub.files[PICKLED] = files[PICKLED]
        result = download("scgpt-human", silent, endpoint=hub.url)
    assert result["files"][PICKLED]["check"] == PUBLISHED


def test_absent_files_are_named(folder, home):
    (folder / "vocab.json").unlink()
    (folder / PICKLED).unlink()
    with pytest.raises(MissingComponent, match=r"lacks vocab.json, best_model.pt of scgpt-human"):
        download("scgpt-human", silent, folder)
    with pytest.raises(MissingComponent, match="is not a folder"):
        download("scgpt-human", silent, folder / "args.json")


def test_links_may_not_leave_the_folder(folder, home):
    inside = folder / "blobs"
    inside.mkdir()
    os.replace(folder / PICKLED, inside / "weights")
    (folder / PICKLED).symlink_to(inside / "weights")
    download("scgpt-human", silent, folder)
    os.replace(inside / "weights", folder.parent / "weights")
    (folder / PICKLED).unlink()
    (folder / PICKLED).symlink_to(folder.parent / "weights")
    with pytest.raises(MissingComponent, match=r"best_model.pt: links that lead out") as refused:
        download("scgpt-human", silent, folder)
    assert "cp -rL" in refused.value.hint


def test_room_is_asked_for_the_conversion_too(folder, files, home, monkeypatch):
    usage = type("Usage", (), {"free": sum(map(len, files.values())) + 1000})
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(MissingComponent, match="MB are free"):
        download("scgpt-human", silent, folder)
    usage.free += len(files[PICKLED])
    download("scgpt-human", silent, folder)


def test_a_process_that_died_between_the_renames(folder, home):
    """The old install is put back by the next run, even by one that fails."""
    download("scgpt-human", silent, folder)
    models = home / "models"
    (models / ".replaced").mkdir(exist_ok=True)
    os.replace(models / "scgpt-human", models / ".replaced" / "scgpt-human")
    with pytest.raises(MissingComponent):
        download("scgpt-human", silent, folder / "nothing")
    assert load_checkpoint(models / "scgpt-human")
    assert not (models / ".replaced" / "scgpt-human").exists()


def test_a_folder_of_unknown_hashes_is_said_to_be_held_to_nothing(home):
    result = download("ember-v1", silent, registry.minilm_folder())
    assert result["files"][CONVERTED] == {"sha256": registry.MINILM_SHA256, "check": UNHELD}
    assert result["files"]["sentence_bert_config.json"]["check"] == UNHELD
    assert result["conversion"] is None
    assert get_spec("ember-v1").status().ready
    # a folder does not say its revision: nothing is recorded for that of the hub
    assert not (home / "models" / "known_hashes.json").exists()


def ember_folder(path, weights: bytes):
    names = ("modules.json", "config.json", "vocab.txt")
    folder = write(path, {**dict.fromkeys(names, b"{}"), CONVERTED: weights})
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_bytes(b"{}")
    return folder


def test_a_folder_is_held_to_the_first_download(home, tmp_path):
    good, bad = save({"x": torch.zeros(9)}), save({"x": torch.ones(9)})
    source = ember_folder(tmp_path / "copy", good)
    files = {p.relative_to(source).as_posix(): p.read_bytes() for p in source.rglob("*.*")}
    with HubServer(files, DOWNLOADS[1].revision) as hub:
        result = download("ember-v1", silent, endpoint=hub.url)
    assert result["files"][CONVERTED]["check"] == RECORDED
    assert download("ember-v1", silent, source)["files"][CONVERTED]["check"] == SAME
    (source / CONVERTED).write_bytes(bad)
    both = f"{sha256(bad)}, not {sha256(good)} as at the first download"
    with pytest.raises(MissingComponent, match=both):
        download("ember-v1", silent, source)


def test_a_cut_off_file_of_unknown_hash_is_refused(home, tmp_path):
    source = ember_folder(tmp_path / "copy", save({"x": torch.zeros(99)})[:-8])
    with pytest.raises(MissingComponent, match=r"model.safetensors of ember-v1 is damaged"):
        download("ember-v1", silent, source)
    assert not (home / "models" / "ember-v1").exists()


def test_an_unreadable_record_of_first_downloads_is_named(home, tmp_path):
    (home / "models").mkdir(parents=True)
    (home / "models" / "known_hashes.json").write_text("[")
    with pytest.raises(MissingComponent, match=r"known_hashes.json, cannot be read") as refused:
        download("ember-v1", silent, registry.minilm_folder())
    assert "Remove it" in refused.value.hint
