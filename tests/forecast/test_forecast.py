"""The whole way on planted sets, and the words."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace

import numpy as np
import pytest

from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import PCAEncoder, get_spec
from scmpt_core.errors import SettingError
from scmpt_core.forecast import TrackRecord, forecast, properties, read_record
from scmpt_core.fusion import Task, make_task
from tests.conftest import toy
from tests.forecast.planted import record_of
from tests.fusion.planted import CPU
from tests.helpers import dataset_of

module = importlib.import_module("scmpt_core.forecast.forecast")


@pytest.fixture
def task() -> Task:
    return make_task(dataset_of(toy(60)), "cell_type")


class Planted:
    """A frozen encoder whose types lie ``strength`` spreads of noise apart."""

    chunk = 50

    def __init__(self, info, task: Task, strength: float) -> None:
        self.info = replace(info, dimension=6)
        rng = np.random.default_rng(len(info.name))
        x = strength * np.eye(3, 6)[task.codes] + rng.normal(size=(len(task.codes), 6))
        self.vectors = dict(zip(task.cells.ids, x.astype(np.float32), strict=True))
        self.seen: list[str] = []

    def identity(self) -> dict:
        return {"encoder": self.info.name}

    def encode(self, cells, progress) -> np.ndarray:
        self.seen += list(cells.ids)
        return np.stack([self.vectors[i] for i in cells.ids])

    def window(self, cells) -> np.ndarray:
        return np.full(len(cells.genes), 1 / len(cells.genes))


@pytest.fixture
def planted(task, monkeypatch):
    """``scgpt-mini`` and ``minilm`` as told by strengths."""

    def plant(**strengths: float) -> dict[str, Planted]:
        made = {
            name: Planted(get_spec(name).info, task, strength)
            for name, strength in ((k.replace("_", "-"), v) for k, v in strengths.items())
        }
        monkeypatch.setattr(module, "load_encoders", lambda names, *_: {n: made[n] for n in names})
        monkeypatch.setattr(module, "read_record", lambda: None)
        return made

    return plant


def run(task, tmp_path, **more):
    names = ["scgpt-mini", "minilm"]
    return forecast(task, names, {"CD3D", "LYZ", "GAPDH"}, EmbeddingStore(tmp_path), CPU, **more)


def test_the_encoder_that_carries_the_label_is_named_and_noise_is_told_apart(
    task, planted, tmp_path
):
    planted(scgpt_mini=0.0, minilm=3.0)
    found = run(task, tmp_path)
    last = found.rows[-1]
    assert last.name == "scgpt-mini"
    assert found.rows[0].name in ("minilm", "scmpt")  # the fusion drops what is noise
    assert last.as_good == 0
    assert last.interval.high < -0.3
    assert last.behind == pytest.approx(
        last.probes["linear"] - found.rows[0].probes["linear"], abs=0.03
    )
    assert sum(row.best for row in found.rows) == pytest.approx(1)
    assert any(text.startswith("scgpt-mini is expected") for text in found.ranking())
    planted(scgpt_mini=3.0, minilm=0.0)
    other = run(task, tmp_path / "other")
    assert other.rows[-1].name == "minilm"


def test_alike_encoders_cannot_be_told_apart(task, planted, tmp_path):
    planted(scgpt_mini=9.0, minilm=9.0)  # both tell all cells, and so does their fusion
    found = run(task, tmp_path)
    assert [row.best for row in found.rows] == pytest.approx([1 / 3] * 3)
    assert "cannot be told apart" in found.ranking()[0]
    assert found.ranking()[1].count("33%") == 3


def test_only_the_sample_is_embedded_and_once(task, planted, tmp_path):
    made = planted(scgpt_mini=1.0, minilm=2.0)
    found = run(task, tmp_path, cells=60)
    assert {len(e.seen) for e in made.values()} == {found.cells} == {60}
    run(task, tmp_path, cells=60)
    assert {len(e.seen) for e in made.values()} == {60}


def test_it_is_the_same_however_the_file_is_sorted(task, planted, tmp_path):
    planted(scgpt_mini=1.0, minilm=2.0)
    order = np.random.default_rng(0).permutation(len(task.codes))
    turned = replace(task, cells=task.cells.take(order), codes=task.codes[order])
    one, other = run(task, tmp_path, cells=90), run(turned, tmp_path / "o", cells=90)
    for a, b in zip(one.rows, other.rows, strict=True):
        assert (a.name, a.probes, a.best) == (b.name, b.probes, b.best)


def test_donors_are_resampled_where_there_are_enough(planted, tmp_path):
    adata = toy(60)
    adata.obs["donor"] = [f"d{i % 6}" for i in range(180)]
    task = make_task(dataset_of(adata), "cell_type", "donor")
    planted(scgpt_mini=1.0, minilm=2.0)
    made = {n: Planted(e.info, task, 2.0) for n, e in module.load_encoders(
        ["scgpt-mini", "minilm"]).items()}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_encoders", lambda *_: made)
        found = run(task, tmp_path)
    assert (found.unit, found.n) == ("donor", 6)
    assert found.rows[1].interval.unit == "donor"


def test_one_encoder_is_refused(task, tmp_path):
    with pytest.raises(SettingError, match="Name two or more"):
        forecast(task, ["pca"], set(), EmbeddingStore(tmp_path), CPU)


def test_without_a_record_it_says_that_nothing_was_held_against_training(task, planted, tmp_path):
    planted(scgpt_mini=1.0, minilm=2.0)
    found = run(task, tmp_path)
    assert found.probe == "linear"
    assert "not yet held against training" in found.words()[-1]
    value = json.loads(json.dumps(found.to_json()))
    assert value["record"] is None
    assert value["words"] == found.words()


def test_a_record_widens_shifts_and_names_itself(task, planted, tmp_path):
    planted(scgpt_mini=1.0, minilm=2.0)
    plain = run(task, tmp_path)
    wide = record_of((5, 0), (5, 0))
    wide = replace(wide, calibration=replace(wide.calibration, slope=1.0, spread=0.5, shift={}))
    held = run(task, tmp_path, record=wide)
    name = plain.rows[-1].name
    last = next(row for row in held.rows if row.name == name)
    assert last.best > plain.rows[-1].best + 0.1
    assert "cannot be told apart" in held.words()[0]
    moved = replace(wide, calibration=replace(wide.calibration, spread=0.01, shift={"genes": 0.9}))
    assert run(task, tmp_path, record=moved).rows[0].name == "scgpt-mini"


@pytest.mark.parametrize(
    ("pca", "fused", "wanted"),
    [
        ((12, 1), (9, 0), ("it was better than “always pca”", "was better than “always the fused")),
        ((12, 1), (3, 3), ("it was better than “always pca”", "no better than “always the fused")),
        ((1, 4), (0, 0), ("no better than “always pca”", "no better than “always the fused")),
        ((4, 2), (3, 1), ("“always pca” on these could be chance (p = 0.69)",
                          "“always the fused model” on these could be chance (p = 0.62)")),
    ],
)  # fmt: skip
def test_a_record_says_plainly_what_it_is_worth(pca, fused, wanted):
    first, *rest = record_of(pca, fused).words()
    assert "6 datasets and 24 parts of them" in first
    assert f"in 25 of 30; always pca in {25 - pca[0] + pca[1]}," in first
    assert len(rest) == len(wanted)
    for text, part in zip(rest, wanted, strict=True):
        assert part in text


def test_a_record_goes_to_disk_and_back(tmp_path):
    file, record = tmp_path / "forecast.json", record_of((4, 2), (3, 1))
    assert read_record(file) is None
    file.write_text(json.dumps(record.to_json()))
    assert read_record(file) == record


def test_a_record_that_ships_can_be_read_and_adds_up():
    record = read_record()
    if record is None:
        pytest.skip("no forecast was held against training yet")
    assert isinstance(record, TrackRecord)
    assert record.n >= record.hits >= 0
    for rival in record.rivals:
        assert record.hits - rival.only_ours == rival.hits - rival.only_its
    assert sum(b["n"] for b in record.bins) == record.n * (len(record.encoders) + 1)


def test_properties_of_the_toy_cells(task):
    codes = task.codes.copy()
    codes[task.codes == 2] = np.where(np.arange(60) < 20, 2, -1)
    encoders = {n: Planted(get_spec(n).info, task, 1.0) for n in ("scgpt-mini", "minilm")}
    found = properties(
        task.cells, codes, task.classes, encoders, {"CD3D", "LYZ", "GAPDH"}, np.arange(50)
    )
    assert (found.cells, found.classes, found.smallest) == (140, 3, (task.classes[2], 20))
    share = np.array([60, 60, 20]) / 140
    assert found.evenness == pytest.approx(-(share * np.log(share)).sum() / np.log(3))
    expressed = np.diff(task.cells.expression.indptr)[codes >= 0]
    assert (found.genes, found.genes_a_cell) == (30, np.median(expressed))
    assert found.depth is None
    assert "the file holds no counts" in dict(found.lines())["counts a cell, median"]
    assert list(found.coverage) == ["scgpt-mini"]
    known = get_spec("scgpt-mini").vocabulary()
    assert found.coverage["scgpt-mini"] == np.mean([g in known for g in task.cells.genes])
    (window,) = found.windows  # every gene has the same share of the planted window
    assert window.encoder == "minilm"
    assert window.markers == pytest.approx(3 / 30)
    assert window.housekeeping == pytest.approx(5 / 30)  # MT-CO1 MT-ND1 RPS6 RPL13 EEF1A1


def test_depth_is_the_median_of_the_counts(task):
    adata = toy(60)
    cells = replace(task.cells, counts=adata.X)
    found = properties(cells, task.codes, task.classes, {}, set(), np.arange(10))
    assert found.depth == np.median(adata.X.toarray().sum(axis=1))


def test_a_fitted_encoder_is_fitted_once_a_fold_and_once_to_all(task, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "read_record", lambda: None)
    fits, plain = [], PCAEncoder.fit
    monkeypatch.setattr(PCAEncoder, "fit", lambda self, c: fits.append(len(c)) or plain(self, c))
    made = {n: PCAEncoder(replace(get_spec("pca").info, name=n)) for n in ("pca", "minilm")}
    monkeypatch.setattr(module, "load_encoders", lambda *_: made)
    found = forecast(task, list(made), set(), EmbeddingStore(tmp_path), CPU, cells=60)
    assert sorted(fits) == [45] * 8 + [60] * 4  # all: for what is read of the window, and once more
    assert found.rows[0].best == pytest.approx(found.rows[1].best)  # the same encoder twice
