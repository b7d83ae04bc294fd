"""Weights from the hub, here a server on this machine: continued, held to hashes, put in place."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from safetensors.numpy import save

from scmpt_core.encoders import DOWNLOADS, download, get_spec
from scmpt_core.encoders.weights import hub as hub_module
from scmpt_core.encoders.weights import transfer
from scmpt_core.encoders.weights.hashes import RECORDED, SAME
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.progress import Cancelled, silent
from tests.hub_server import HubServer

EMBER = next(d for d in DOWNLOADS if d.name == "ember-v1")
WEIGHTS = "model.safetensors"


def weights(seed: int = 0) -> bytes:
    """A safetensors file of 3 MB."""
    values = np.random.default_rng(seed).standard_normal((750, 1000)).astype(np.float32)
    return save({"embeddings.weight": values})


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(hub_module, "PAUSE", 0)


@pytest.fixture
def hub():
    """A repository laid out as ember's, with formats beside the one that is wanted."""
    small = {n: b"{}" for n in ("modules.json", "config.json", "tokenizer.json", "README.md")}
    others = {n: bytes(1000) for n in ("pytorch_model.bin", "onnx/model.onnx")}
    files = {**small, **others, "1_Pooling/config.json": b"{}", "onnx/config.json": b"{}"}
    with HubServer({**files, WEIGHTS: weights()}, EMBER.revision, frozenset({WEIGHTS})) as server:
        yield server


def ember(hub, progress=silent):
    return download("ember-v1", progress, endpoint=hub.url)


def staged(home):
    return home / "models" / ".partial" / "ember-v1" / EMBER.revision


def installed(home):
    return home / "models" / "ember-v1"


def test_first_download_records_hashes_and_the_next_is_held_to_them(hub, home):
    first = ember(hub)
    assert set(first["files"]) == {
        "modules.json", "config.json", "tokenizer.json", "1_Pooling/config.json", WEIGHTS
    }  # fmt: skip
    assert {s.file for s in hub.sent} == set(first["files"])  # and no duplicate was fetched
    assert {f["check"] for f in first["files"].values()} == {RECORDED}
    assert first["commit"] == EMBER.revision
    assert get_spec("ember-v1").status().ready
    book = json.loads((home / "models" / "known_hashes.json").read_text())
    recorded = book["ember-v1"][EMBER.revision]
    assert recorded == {name: f["sha256"] for name, f in first["files"].items()}
    assert {f["check"] for f in ember(hub)["files"].values()} == {SAME}
    assert not (home / "models" / ".partial" / "ember-v1").exists()


@pytest.mark.parametrize("listed", [True, False])
def test_another_file_than_at_first_is_refused(hub, home, listed):
    hub.listed_hashes = listed
    old = ember(hub)["files"][WEIGHTS]["sha256"]
    hub.files[WEIGHTS] = weights(seed=1)
    asked = len(hub.asked(WEIGHTS))
    with pytest.raises(MissingComponent, match=f"not {old} as at the first download") as refused:
        ember(hub)
    # where the hub lists the other hash itself, the file is not even fetched
    assert len(hub.asked(WEIGHTS)) == asked + (not listed)
    assert "known_hashes.json" in refused.value.hint
    assert (installed(home) / WEIGHTS).read_bytes() == weights()
    (home / "models" / "known_hashes.json").unlink()
    assert ember(hub)["files"][WEIGHTS]["check"] == RECORDED
    assert (installed(home) / WEIGHTS).read_bytes() == weights(seed=1)


def test_a_connection_that_drops_is_taken_up_again(hub, home):
    hub.cuts[WEIGHTS] = [1_000_000, 500_000]
    ember(hub)
    assert [s.start for s in hub.asked(WEIGHTS)] == [0, 1_000_000, 1_500_000]
    assert (installed(home) / WEIGHTS).read_bytes() == weights()


def test_a_later_run_continues(hub, home):
    hub.cuts[WEIGHTS] = [2_000_000, 0, 0, 0]
    with pytest.raises(MissingComponent, match="could not be downloaded") as cut:
        ember(hub)
    assert cut.value.hint.startswith("Run the same command again to continue.")
    assert not installed(home).exists()
    assert (staged(home) / f"{WEIGHTS}.part").stat().st_size == 2_000_000
    hub.sent.clear()
    ember(hub)
    assert {s.file for s in hub.sent} == {WEIGHTS}  # the small files were whole
    assert [s.start for s in hub.asked(WEIGHTS)] == [2_000_000]
    assert (installed(home) / WEIGHTS).read_bytes() == weights()


def test_a_server_without_ranges_starts_again(hub, home):
    hub.cuts[WEIGHTS] = [2_000_000]
    hub.ranges = False
    reports = []
    ember(hub, lambda fraction, message: reports.append((fraction, message)))
    assert [s.start for s in hub.asked(WEIGHTS)] == [0, 0]
    assert (installed(home) / WEIGHTS).read_bytes() == weights()
    assert max(fraction for fraction, _ in reports) == 1  # what was thrown away is not counted
    counted = [message for _, message in reports if " of 3 MB" in message]
    assert counted[-1].startswith("ember-v1: 3 of 3 MB")


def test_a_server_without_ranges_that_keeps_hanging_up_is_given_up(hub, home):
    hub.cuts[WEIGHTS] = [2_000_000, *[500_000, 1_000_000] * 10]
    hub.ranges = False
    with pytest.raises(MissingComponent, match="could not be downloaded"):
        ember(hub)
    assert len(hub.asked(WEIGHTS)) == 1 + hub_module.TRIES


def test_cancelling_stops_and_the_next_run_continues(hub, home):
    def stop_after_1_mb(fraction, message):
        if "ember-v1: 1 of 3 MB" in message:
            raise Cancelled

    with pytest.raises(Cancelled):
        ember(hub, stop_after_1_mb)
    have = (staged(home) / f"{WEIGHTS}.part").stat().st_size
    assert 0 < have < 2_000_000
    ember(hub)
    assert hub.asked(WEIGHTS)[-1].start == have


def test_progress_is_in_megabytes_and_never_falls(hub):
    reports = []
    ember(hub, lambda fraction, message: reports.append((fraction, message)))
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert any("ember-v1: 2 of 3 MB" in m and "MB/s" in m and " left" in m for _, m in reports)


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_damage_on_the_way_is_refused_and_thrown_away(hub, home, name):
    hub.damaged.add(name)
    with pytest.raises(MissingComponent, match="arrived damaged"):
        ember(hub)
    assert not installed(home).exists()
    assert not (home / "models" / "known_hashes.json").exists()  # nothing bad is remembered
    assert not (staged(home) / name).exists()
    hub.damaged.clear()
    assert ember(hub)["files"][name]["check"] == RECORDED


@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_a_file_of_another_size_than_listed_ends(hub, home, change):
    data = hub.files[WEIGHTS]
    listing = hub.listing("x")
    hub.page = listing
    hub.files[WEIGHTS] = data + b"more" if change == "longer" else data[:-4]
    hub.ranges = False
    with pytest.raises(MissingComponent, match=r"is longer than|ends after"):
        ember(hub)
    hub.files[WEIGHTS], hub.ranges = data, True
    ember(hub)


@pytest.mark.parametrize("commit", ["../../elsewhere", None, "0" * 40])
def test_another_commit_is_refused(hub, home, commit):
    hub.commit = commit
    with pytest.raises(MissingComponent, match="commit"):
        ember(hub)
    assert not hub.sent


def test_what_is_no_hub_is_named(hub):
    hub.page = b"<html>Sign in to this network</html>"
    with pytest.raises(MissingComponent, match="does not answer as a model hub"):
        ember(hub)


def test_a_repository_without_the_files_is_refused(hub):
    del hub.files[WEIGHTS], hub.files["tokenizer.json"]
    with pytest.raises(MissingComponent, match=r"lacks tokenizer.json or vocab.txt, model.safeten"):
        ember(hub)


def test_no_room_is_refused_with_numbers(hub, home, monkeypatch):
    usage = type("Usage", (), {"free": 2_500_000})
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(MissingComponent, match=r"needs 3\.0 MB .* 2\.5 MB are free"):
        ember(hub)
    assert not hub.sent


def test_two_at_once(hub, home):
    hub.cuts[WEIGHTS], hub.hold = [1_000_000], threading.Event()
    results = []
    other = threading.Thread(target=lambda: results.append(ember(hub)))
    other.start()
    assert hub.held.wait(30)
    with pytest.raises(MissingComponent, match="Another process is installing ember-v1"):
        ember(hub)
    hub.hold.set()
    other.join(30)
    assert results[0]["files"][WEIGHTS]["check"] == RECORDED


def check_says_what_to_do(refused):
    hint = refused.value.hint
    assert "download ember-v1 --from FOLDER" in hint
    assert "SCMPT_EMBER_FOLDER" in hint
    assert f"https://huggingface.co/llmrails/ember-v1/tree/{EMBER.revision}" in hint
    for name in EMBER.needed:
        assert name.replace("|", " or ") in hint


def test_no_network_says_what_to_do_and_keeps_what_is_there(hub, home, monkeypatch):
    ember(hub)
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(MissingComponent, match="could not be downloaded") as refused:
        download("ember-v1", silent, endpoint=nobody)
    check_says_what_to_do(refused)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingComponent, match="offline mode") as refused:
        download("ember-v1", silent)
    check_says_what_to_do(refused)
    assert (installed(home) / WEIGHTS).read_bytes() == weights()


def test_unknown_names():
    with pytest.raises(SettingError, match="scgpt-human, ember-v1"):
        download("minilm", silent)


def test_a_killed_command_continues(hub, home):
    """The command itself, against HF_ENDPOINT: killed half-way, run again."""
    command = [sys.executable, "-m", "scmpt_core", "download", "ember-v1"]
    environment = {**os.environ, "HF_ENDPOINT": hub.url}
    hub.cuts[WEIGHTS], hub.hold = [2_000_000], threading.Event()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    assert hub.held.wait(60)
    part = staged(home) / f"{WEIGHTS}.part"
    end = time.monotonic() + 30
    while not part.exists() or part.stat().st_size < 1_900_000:  # sent is not yet written
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    hub.hold.set()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert hub.asked(WEIGHTS)[-1].start >= 1_900_000
    assert f"{WEIGHTS}: recorded at first download (no published hash known)" in done.stdout
    assert f"at commit {EMBER.revision}, from {hub.url}" in done.stdout
