"""Installing weights: from a folder, with hashes held, and without network."""

from __future__ import annotations

import pytest

from scmpt_core.encoders import download, get_spec, registry
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.progress import silent


def test_from_a_folder(home):
    result = download("ember-v1", silent, registry.minilm_folder())
    files = result["files"]
    assert files["model.safetensors"]["sha256"] == registry.MINILM_SHA256
    assert not files["model.safetensors"]["held_against_known"]
    assert get_spec("ember-v1").status().ready


def test_a_wrong_hash_installs_nothing(home, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("args.json", "vocab.json", "best_model.pt"):
        (folder / name).write_text("{}")
    with pytest.raises(MissingComponent, match="has SHA-256"):
        download("scgpt-human", silent, folder)
    assert not (home / "models" / "scgpt-human").exists()


def test_incomplete_and_unknown(tmp_path):
    with pytest.raises(MissingComponent, match="lacks"):
        download("scgpt-human", silent, tmp_path)
    with pytest.raises(SettingError):
        download("minilm", silent)


def test_no_network_says_what_to_do(home, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingComponent, match="could not be downloaded") as refused:
        download("ember-v1", silent)
    assert "--from FOLDER" in refused.value.hint
    assert not (home / "models" / "ember-v1").exists()
